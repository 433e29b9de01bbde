import { expect, test } from 'vitest';
import { saidOf, turnsOf, watchedOf } from './chat';
import { RunLog, type Item } from './run_log';

test('turns are what is listed and what was sent, each once, in their order', () => {
  const listed = [{ run: 'c', in_line: true }, { run: 'b', in_line: false }];
  const turns = turnsOf(listed, [{ run: 'c', text: 'third' }, { run: 'd', text: 'fourth' }], 'a');
  expect(turns).toEqual([{ run: 'a', waits: false }, { run: 'b', waits: false }, { run: 'c', waits: true, text: 'third' }, { run: 'd', waits: true, text: 'fourth' }]);
  expect(turnsOf(listed, [], 'b').map((turn) => turn.run)).toEqual(['b', 'c']);
});

test('a stream carries few logs however many wait', () => {
  const turns = Array.from({ length: 20 }, (_, i) => ({ run: String(i), waits: i > 9 }));
  expect([...watchedOf(turns)]).toEqual(['10', '11', '19']);
  expect([...watchedOf(turns.slice(0, 5))]).toEqual(['4']);
  expect([...watchedOf([])]).toEqual([]);
});

test('what the model said last is not said again as the result', () => {
  const log = new RunLog('r');
  const at = '2026-01-01T00:00:00Z';
  log.apply({ run: 'r', seq: 1, type: 'step.completed', at, data: { step: 1, kind: 'model', text: '{"a": 1}' } });
  log.apply({ run: 'r', seq: 2, type: 'run.completed', at, data: { output: { a: 1 } } });
  const kinds = (...more: Item[]) => saidOf([...log.items, ...more]).map((item) => item.kind);
  expect(kinds()).toEqual(['step']);
  const other = new RunLog('r');
  other.apply({ run: 'r', seq: 1, type: 'run.waiting', at, data: {} });
  expect(saidOf(other.items).map((item) => item.kind)).toEqual(['note']);
  expect(kinds(...other.items)).toEqual(['step']);
  other.apply({ run: 'r', seq: 2, type: 'run.failed', at, data: { error: 'no' } });
  expect(kinds(...other.items)).toEqual(['step', 'end']);
});
