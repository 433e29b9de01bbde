import { expect, test } from 'vitest';
import { KeyReader, SEQUENCE_MS, type Binding } from './keys';

const bindings: Binding[] = ['j', 'g r', 'mod+k', 'r'].map((keys) => ({ keys, says: keys, run: () => {} }));
const press = (key: string, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });

test('keys, sequences, and neither while somebody types', () => {
  const reader = new KeyReader();
  const read = (key: string, now: number, typing = false, more = {}) => reader.read(press(key, more), typing, bindings, now)?.keys;
  expect(read('j', 0)).toBe('j');
  expect(read('g', 1)).toBeUndefined();
  expect(read('r', 2)).toBe('g r');
  expect(read('g', 3)).toBeUndefined();
  expect(read('r', 3 + SEQUENCE_MS)).toBe('r');
  expect(read('j', 5000, true)).toBeUndefined();
  expect(read('K', 5001, true, { ctrlKey: true })).toBe('mod+k');
  expect(read('j', 5002, false, { altKey: true })).toBeUndefined();
});
