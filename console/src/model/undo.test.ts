import { expect, test } from 'vitest';
import { isLeft, noteOf, undoGroups, type UndoEffect, type Would } from './undo';

const effect = (step: number, would: Would): UndoEffect => ({ agent: 'a', tool: 'pay', step, key: `k${step}`, would });

test('what is to be done stands first and in its order, whatever is special about it', () => {
  const groups = undoGroups([effect(9, 'undo'), effect(8, 'undone'), effect(7, 'ask'), effect(5, 'stands'), effect(4, 'nothing'), effect(3, 'undo')]);
  expect(groups.map((group) => [group.look, group.effects.map((one) => one.step)])).toEqual([['undo', [9, 7, 5, 3]], ['undone', [8]], ['nothing', [4]]]);
});

test('a group without a call is not shown, and a run may have nothing to take back', () => {
  expect(undoGroups([effect(2, 'undone')]).map((group) => group.look)).toEqual(['undone']);
  expect(undoGroups([])).toEqual([]);
});

test('what is asked first, and what has failed before, says so', () => {
  expect(['undo', 'ask', 'stands'].map((would) => noteOf(effect(1, would as Would)) === '')).toEqual([true, false, false]);
  expect((['undo', 'ask', 'undone', 'nothing', 'stands'] as const).filter((would) => isLeft(effect(1, would)))).toEqual(['undo', 'ask', 'stands']);
});
