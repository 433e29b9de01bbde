import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EVENT_TYPES } from './events';

test('every type that the server writes into a log is listened to', () => {
  const header = readFileSync(new URL('../../../src/platform/protocol/events.h', import.meta.url), 'utf8');
  const written = [...header.matchAll(/k\w+ = "([\w.]+)"/g)].map((match) => match[1]).filter((type) => type !== 'run.created');
  expect(written.length).toBeGreaterThan(15);
  expect(written.filter((type) => !(EVENT_TYPES as readonly string[]).includes(type!))).toEqual([]);
});
