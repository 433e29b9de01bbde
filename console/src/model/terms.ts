// On what terms a question is decided, as its rule says: how many, who, who not, who as well and from when on. Pure.

import { fieldsOf, numberOf, textOf } from './events';

export interface Terms {
  rule: string;
  need: number;
  have: number;
  who: string[]; // roles, or user:NAME; none: whoever may decide
  votes: { by: string; at: string }[];
  fourEyes: boolean;
  requester: string; // who started the run; empty: nobody knows
  escalation: { at: number; to: string[] }[]; // ms
  escalated: number; // so many steps of it are reached
}

const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []);
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

// Of an approval's record; undefined: its rule says nothing of it.
export function termsOf(record: unknown): Terms | undefined {
  const of = fieldsOf(record);
  const need = numberOf(of['need']);
  if (need === undefined && !Array.isArray(of['who'])) return undefined;
  return {
    rule: textOf(of['rule']), need: need ?? 1, have: numberOf(of['have']) ?? 0, who: textsOf(of['who']), fourEyes: of['four_eyes'] === true, requester: textOf(of['requester']),
    votes: listOf(of['votes']).map(fieldsOf).map((vote) => ({ by: textOf(vote['by']), at: textOf(vote['at']) })),
    escalation: listOf(of['escalation']).map(fieldsOf).map((step) => ({ at: Date.parse(textOf(step['at'])), to: textsOf(step['to']) })),
    escalated: numberOf(of['escalated']) ?? 0,
  };
}

const joined = (words: readonly string[], last: string): string => (words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)!}`);

// "ann or whoever is approver": of a rule's roles and users.
export const whoMay = (who: readonly string[]): string => joined(who.map((one) => (one.startsWith('user:') ? one.slice('user:'.length) : `whoever is ${one}`)), 'or');

export function votesWords({ need, have, votes }: Terms): string {
  const by = joined([...new Set(votes.map((vote) => vote.by).filter(Boolean))], 'and');
  return `${have} of ${need}${by ? `, by ${by}` : ''}`;
}

// Of what was decided: who else approved, and how far it goes.
export function decidedWords(data: unknown): string {
  const { votes, scope } = fieldsOf(data);
  const by = [...new Set(listOf(votes).map((vote) => textOf(fieldsOf(vote)['by'])).filter(Boolean))];
  return [by.length > 1 ? `approved by ${joined(by, 'and')}` : '', scope === 'run' ? 'for this run' : ''].filter(Boolean).join(', ');
}

export const fourEyesWords = ({ requester }: Terms): string => (requester ? `not ${requester}, who started the run` : 'two people, since nobody knows who started the run');

// What the call does to the world, as its tool declares: docs/guide/agents.md.
export const EFFECT_WORDS: Record<string, string> = {
  pure: 'it only reads', idempotent: 'repeated, it is done once', at_most_once: 'it is never repeated, and may not be taken back', transactional: 'it is done exactly once',
};

// Of the tool of that name in a definition; undefined: it says nothing of it.
export function effectOf(definition: unknown, tool: string): string | undefined {
  const tools = listOf(fieldsOf(fieldsOf(definition)['spec'])['tools']).map(fieldsOf);
  const effect = tools.find((one) => one['name'] === tool)?.['effect'];
  return typeof effect === 'string' ? effect : undefined;
}
