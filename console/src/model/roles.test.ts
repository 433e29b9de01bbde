import { expect, test } from 'vitest';
import { hasRole, isAdminOfAll, rolesWords, saidRoles, teamsOf, withRole } from './roles';

test('roles are told by namespace', () => {
  expect(rolesWords({ default: ['reader', 'approver'], '*': ['admin'] })).toBe('reader, approver in default; admin in every namespace');
  expect(rolesWords({ default: [] })).toBe('no roles');
});

test('a role is given and taken, in one order', () => {
  const given = withRole(withRole({}, 'default', 'approver', true), 'default', 'reader', true);
  expect(given).toEqual({ default: ['reader', 'approver'] });
  expect(saidRoles(withRole(withRole(given, 'default', 'reader', false), 'default', 'approver', false))).toEqual({});
});

test('admins of every namespace change who may what', () => {
  expect(isAdminOfAll({ '*': ['admin'] })).toBe(true);
  expect(isAdminOfAll({ default: ['admin'] })).toBe(false);
});

test('a role counts in whichever namespace', () => {
  expect(hasRole({ billing: ['deployer'] }, 'deployer')).toBe(true);
  expect(hasRole({ billing: ['reader'] }, 'deployer')).toBe(false);
});

test('teams are typed as one line', () => {
  expect(teamsOf(' payments, risk,, payments ')).toEqual(['payments', 'risk']);
  expect(teamsOf('')).toEqual([]);
});
