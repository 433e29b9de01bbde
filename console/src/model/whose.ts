// Whose inbox: everybody's, what one may decide oneself, what agents of one's teams or of a named one ask. The address
// has it, in the words of the API.

export const FOR = ['me', 'team'] as const;
export interface Whose { for?: (typeof FOR)[number]; team?: string }

const MAX_TEAM = 200;

// "My teams" are already of teams: another one beside them means nothing, and the API refuses it.
export function whoseOf(whose: string | undefined, team: string | undefined): Whose {
  const known = FOR.find((one) => one === whose);
  const named = known === 'team' ? '' : (team ?? '').trim().slice(0, MAX_TEAM);
  return { ...(known ? { for: known } : {}), ...(named ? { team: named } : {}) };
}

export const isEverybodys = (whose: Whose): boolean => whose.for === undefined && whose.team === undefined;

// What is said where nothing waits.
export function nothingWords(whose: Whose): string {
  const of = whose.team === undefined ? '' : ` in an agent of team ${whose.team}`;
  if (whose.for === 'me') return `Nothing waits for you${of}.`;
  if (whose.for === 'team') return 'Nothing waits in agents of your teams. Which teams you are in, your identity provider says.';
  return of ? `Nothing waits${of}.` : 'No run waits for a person.';
}
