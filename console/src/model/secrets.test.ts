import { expect, test } from 'vitest';
import { SECRET_NAME, base64Of, sizeProblem, valueOfFile } from './secrets';

const bytes = (text: string) => new TextEncoder().encode(text);

test('the line break at the end of a file is left away, unless it belongs to the value', () => {
  expect(valueOfFile(bytes('key\n'), false)).toEqual(bytes('key'));
  expect(valueOfFile(bytes('key\r\n'), false)).toEqual(bytes('key'));
  expect(valueOfFile(bytes('a\n\n'), false)).toEqual(bytes('a\n'));
  expect(valueOfFile(bytes('key\n'), true)).toEqual(bytes('key\n'));
  expect(valueOfFile(bytes(''), false)).toEqual(bytes(''));
});

test('any bytes are sent', () => {
  expect(base64Of(new Uint8Array([0, 255, 128, 10]))).toBe('AP+ACg==');
});

test('what is too small or too large is told before it is sent', () => {
  expect(sizeProblem(0)).toContain('at least one');
  expect(sizeProblem(65_536)).toBe(undefined);
  expect(sizeProblem(65_537)).toContain('65,536');
});

test('names are those that the server takes', () => {
  const is = new RegExp(`^(?:${SECRET_NAME})$`, 'v');
  expect(is.test('OPENAI_KEY-2.a')).toBe(true);
  for (const bad of ['', 'a b', 'a/b', 'x'.repeat(65)]) expect(is.test(bad)).toBe(false);
});
