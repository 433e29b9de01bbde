// Budgets of a run, as rows: what of each is used.

import { fieldsOf, numberOf, textOf } from './events';
import { dollars, momentOf } from './text';

export interface BudgetPart {
  name: 'tokens' | 'money' | 'calls' | 'tool_calls';
  limit: string;
  used: string;
  share: number; // of the limit that is used or held; more than 1 when it was overdrawn
}

const NAMES: readonly BudgetPart['name'][] = ['tokens', 'money', 'calls', 'tool_calls'];
export const BUDGET_WORDS: Record<BudgetPart['name'], string> = { tokens: 'tokens', money: 'money', calls: 'model calls', tool_calls: 'tool calls' };

const amountOf = (value: unknown): number => (typeof value === 'string' ? Number.parseFloat(value) : numberOf(value) ?? 0);
const words = (value: unknown): string => (typeof value === 'number' ? value.toLocaleString('en') : textOf(value).replace(/^(.+) USD$/, (_, usd: string) => dollars(usd)));

export function partsOf(budgets: object): BudgetPart[] {
  const all = fieldsOf(budgets);
  return NAMES.filter((name) => all[name] !== undefined).map((name) => {
    const { limit, used, held } = fieldsOf(all[name]);
    const most = amountOf(limit);
    const taken = amountOf(used) + amountOf(held);
    return { name, limit: words(limit), used: words(used), share: most > 0 ? taken / most : 1 };
  });
}

// The rest of it, in words: a depth has no use, a time passes by itself.
export function otherBudgets(budgets: object): string[] {
  const all = fieldsOf(budgets);
  const out: string[] = [];
  if (all['depth'] !== undefined) out.push(`${words(fieldsOf(all['depth'])['limit'])} levels of sub-agents`);
  if (all['wall_time'] !== undefined) out.push(`until ${momentOf(Date.parse(textOf(fieldsOf(all['wall_time'])['until'])))}`);
  return out;
}

// As it is sent: whole numbers, money with its currency.
export const raised = (name: BudgetPart['name'], typed: string): { [name: string]: number | string } | undefined => {
  const number = name === 'money' ? typed.trim().replace(/^\$|\s*USD$/gi, '') : typed.trim();
  const amount = Number(number);
  if (number === '' || !Number.isFinite(amount) || amount < 0) return undefined;
  if (name === 'money') return { money: `${number} USD` };
  return Number.isInteger(amount) ? { [name]: amount } : undefined;
};
