// What taking back a run's effects would do, in words: pure.

export type Would = 'undo' | 'ask' | 'nothing' | 'undone' | 'stands';
export interface UndoEffect { agent: string; tool: string; step: number; key: string; item?: number; would: Would }

export interface UndoGroup { look: 'undo' | 'undone' | 'nothing'; words: string; effects: UndoEffect[] }

const REST: readonly [UndoGroup['look'] & Would, string][] = [
  ['undone', 'taken back already'], ['nothing', 'never took effect'],
];

export const isLeft = ({ would }: UndoEffect): boolean => would === 'undo' || would === 'ask' || would === 'stands';

// First what is to be done, in its order, the last call first; then what is not.
export function undoGroups(effects: readonly UndoEffect[]): UndoGroup[] {
  const left: UndoGroup = { look: 'undo', words: 'taken back, in this order', effects: effects.filter(isLeft) };
  const rest = REST.map(([look, words]): UndoGroup => ({ look, words, effects: effects.filter((one) => one.would === look) }));
  return [left, ...rest].filter((group) => group.effects.length > 0);
}

// What is special about one that is to be done.
export const noteOf = ({ would }: UndoEffect): string =>
  would === 'ask' ? 'nobody knows whether it took effect: that is asked first' : would === 'stands' ? 'taking it back has failed, and is tried again' : '';
