import { expect, test } from 'vitest';
import { fits, grantedParts, scopeWords, toolsOf, verdictOf, type ToolGrant } from './grants';

const grant = (more: Partial<ToolGrant>): ToolGrant => ({ id: 'g', agent: '*', team: '*', environment: '*', mode: 'allow', tools: ['*'], reason: '', set_by: 'ada', set_at: '', ...more });
const CLERK = { agent: 'clerk', team: 'payments', environment: 'production' };

test('a grant fits by agent, team and environment; what it leaves out fits everything', () => {
  expect([{}, { agent: 'clerk' }, { team: 'risk' }, { environment: 'production' }, { environment: 'staging' }].map((more) => fits(grant(more), CLERK))).toEqual([true, true, false, true, false]);
  // A run that was started by no label is in no environment.
  expect(fits(grant({ environment: 'production' }), { ...CLERK, environment: '' })).toBe(false);
});

test('where no grant fits an agent has its tools; a deny wins; one that allows leaves the others out', () => {
  const verdicts = (grants: ToolGrant[]) => ['look_up', 'pay', 'crm__find'].map((tool) => verdictOf(grants, CLERK, tool).allowed);
  expect(verdicts([])).toEqual([true, true, true]);
  expect(verdicts([grant({ agent: 'other', tools: ['x'] })])).toEqual([true, true, true]);
  expect(verdicts([grant({ tools: ['look_up', 'crm__*'] })])).toEqual([true, false, true]);
  expect(verdicts([grant({}), grant({ mode: 'deny', tools: ['pay'] })])).toEqual([true, false, true]);
  expect(verdicts([grant({ mode: 'deny', tools: ['pay'] })])).toEqual([true, false, true]);
  const deny = grant({ id: 'd', mode: 'deny', tools: ['pa*'] });
  expect(verdictOf([grant({}), deny], CLERK, 'pay')).toEqual({ tool: 'pay', allowed: false, by: deny });
});

test('what is typed and shown', () => {
  expect(toolsOf(' pay, crm__*\nlook_up,pay ')).toEqual(['pay', 'crm__*', 'look_up']);
  expect(scopeWords(grant({}))).toBe('every agent');
  expect(scopeWords(grant(CLERK))).toBe('clerk of team payments in production');
  expect(grantedParts({ metadata: { team: 't' }, spec: { tools: [{ name: 'pay' }, {}] } })).toEqual({ team: 't', tools: ['pay'] });
  expect(grantedParts('x')).toEqual({ team: '', tools: [] });
});
