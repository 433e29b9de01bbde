import { expect, test } from 'vitest';
import { callsOf, factsOf, messageOf, rowsOf } from './run_diff';

const said = (sequence: number, role: string, text: string, more: object = {}) => messageOf({ sequence, role, content: [{ type: 'text', text }], ...more });

test('a message is read in each of its shapes', () => {
  expect(messageOf({ sequence: 2, role: 'assistant', content: [{ type: 'text', text: 'I pay.' }, { type: 'tool_call', call: 0 }], tool_calls: [{ id: 'c', name: 'pay', arguments: '{"amount":1}' }] }))
    .toMatchObject({ text: 'I pay.', calls: [{ id: 'c', name: 'pay', arguments: '{"amount":1}' }], omitted: undefined });
  expect(messageOf({ sequence: 3, role: 'tool', content: 'none', tool_call_id: 'c', is_error: true })).toMatchObject({ text: 'none', answers: 'c', isError: true });
  expect(messageOf({ sequence: 4, role: 'user', content: [{ type: 'image' }] }).text).toBe('[image]');
  expect(messageOf({ sequence: 5, omitted: true, bytes: 70_000 })).toMatchObject({ omitted: 70_000, text: '' });
});

test('what says the same is told so, whatever the ids of its calls', () => {
  const call = (id: string) => ({ tool_calls: [{ id, name: 'pay', arguments: '{}' }] });
  const rows = rowsOf([said(5, 'assistant', 'x', call('a')), said(6, 'tool', 'one')], [said(5, 'assistant', 'x', call('b')), said(6, 'tool', 'two'), said(7, 'assistant', 'more')]);
  expect(rows.map((row) => [row.same, row.a?.sequence, row.b?.sequence])).toEqual([[true, 5, 5], [false, 6, 6], [false, undefined, 7]]);
  // Of what was left out nobody knows.
  expect(rowsOf([messageOf({ omitted: true, bytes: 7 })], [messageOf({ omitted: true, bytes: 7 })])[0]!.same).toBe(false);
});

test('calls are counted by what they do', () => {
  const call = (tool: string, arguments_sha256: string) => ({ tool, arguments_sha256 });
  expect(callsOf([call('pay', 'x'), call('pay', 'x'), call('look', 'y')], [call('pay', 'x'), call('pay', 'z')])).toEqual([
    { tool: 'pay', sha256: 'x', a: 2, b: 1 }, { tool: 'look', sha256: 'y', a: 1, b: 0 }, { tool: 'pay', sha256: 'z', a: 0, b: 1 },
  ]);
});

test('facts say what differs', () => {
  const a = { agent: 'payer', version: 'aaaaaaaaaaaaaaaa', status: 'completed', spent: { model_calls: 2, input_tokens: 1000, output_tokens: 1, cost: { usd: '0.5' } } };
  const facts = factsOf(a, { ...a, version: 'bbbbbbbbbbbbbbbb', spent: { model_calls: 2 } }, (status) => status);
  expect(facts.filter((fact) => fact.differs)).toEqual([
    { name: 'version', a: 'aaaaaaaaaaaa', b: 'bbbbbbbbbbbb', differs: true }, { name: 'tokens', a: '1,001', b: '0', differs: true }, { name: 'cost', a: '$0.5', b: 'unpriced', differs: true },
  ]);
});
