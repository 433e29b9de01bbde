// Two runs side by side: what each said behind what they have in common. Pure.

import { fieldsOf, numberOf, textOf } from './events';
import { dollars } from './text';

export interface Call { id: string; name: string; arguments: unknown }

export interface DiffMessage {
  sequence: number;
  role: string;
  text: string;
  calls: Call[];
  answers: string; // of a tool: whose call
  isError: boolean;
  omitted: number | undefined; // bytes of one that is too long for the page
}

export interface DiffRow { key: string; a: DiffMessage | undefined; b: DiffMessage | undefined; same: boolean }

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content).map((part) => {
    const { type, text } = fieldsOf(part);
    if (type === 'text') return textOf(text);
    return type === 'tool_call' || type === 'opaque' ? '' : `[${textOf(type) || 'part'}]`;
  }).filter(Boolean).join('\n');
}

export function messageOf(value: unknown): DiffMessage {
  const of = fieldsOf(value);
  return {
    sequence: numberOf(of['sequence']) ?? 0, role: textOf(of['role']), text: contentText(of['content']),
    calls: listOf(of['tool_calls']).map(fieldsOf).map((call) => ({ id: textOf(call['id']), name: textOf(call['name']), arguments: call['arguments'] })),
    answers: textOf(of['tool_call_id']), isError: of['is_error'] === true, omitted: of['omitted'] === true ? (numberOf(of['bytes']) ?? 0) : undefined,
  };
}

// Ids of calls are the model's, and differ where the words do not.
const words = (of: DiffMessage): string => JSON.stringify([of.role, of.text, of.calls.map((call) => [call.name, call.arguments]), of.isError, of.omitted ?? null]);

// Those at the same distance behind what is common stand beside each other.
export function rowsOf(a: readonly DiffMessage[], b: readonly DiffMessage[]): DiffRow[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, at) => {
    const [left, right] = [a[at], b[at]];
    return { key: String(at), a: left, b: right, same: left !== undefined && right !== undefined && left.omitted === undefined && words(left) === words(right) };
  });
}

export interface Made { tool: string; sha256: string; a: number; b: number }

// Calls by tool and arguments, with how often each made them.
export function callsOf(a: readonly unknown[], b: readonly unknown[]): Made[] {
  const made = new Map<string, Made>();
  for (const [side, calls] of [['a', a], ['b', b]] as const) {
    for (const one of calls.map(fieldsOf)) {
      const [tool, sha256] = [textOf(one['tool']), textOf(one['arguments_sha256'])];
      const key = `${tool} ${sha256}`;
      const before = made.get(key) ?? { tool, sha256, a: 0, b: 0 };
      made.set(key, { ...before, [side]: before[side] + 1 });
    }
  }
  return [...made.values()];
}

export interface Side { agent?: string; version?: string; status: string; spent?: unknown; output?: unknown }
export interface Fact { name: string; a: string; b: string; differs: boolean }

const usedOf = (side: Side) => fieldsOf(side.spent);
const tokensOf = (side: Side): string => ((numberOf(usedOf(side)['input_tokens']) ?? 0) + (numberOf(usedOf(side)['output_tokens']) ?? 0)).toLocaleString('en');
const costOf = (side: Side): string => {
  const usd = textOf(fieldsOf(usedOf(side)['cost'])['usd']);
  return usd ? dollars(usd) : 'unpriced';
};

export function factsOf(a: Side, b: Side, wordOf: (status: string) => string): Fact[] {
  const of = (name: string, tell: (side: Side) => string): Fact => {
    const [left, right] = [tell(a), tell(b)];
    return { name, a: left, b: right, differs: left !== right };
  };
  return [
    of('status', (side) => wordOf(side.status)), of('agent', (side) => side.agent ?? ''), of('version', (side) => (side.version ?? '').slice(0, 12)),
    of('model calls', (side) => String(numberOf(usedOf(side)['model_calls']) ?? 0)), of('tokens', tokensOf), of('cost', costOf),
  ];
}
