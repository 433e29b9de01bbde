import { expect, test } from 'vitest';
import { ApiProblem, isPassing, wordsOf } from './problem';

test('what went wrong is told with what to do', () => {
  expect(wordsOf(new ApiProblem(409, { detail: 'the run is closed', hint: 'retry it', nearest: 4 }))).toBe('the run is closed (retry it)');
  expect(wordsOf(new ApiProblem(502, undefined))).toBe('The server answered 502.');
  expect(wordsOf(new TypeError('Failed to fetch'))).toBe('Failed to fetch');
});

test('what is refused is not asked again, what does not answer is', () => {
  for (const status of [400, 403, 404, 409]) expect(isPassing(new ApiProblem(status, undefined))).toBe(false);
  for (const status of [408, 429, 500, 503]) expect(isPassing(new ApiProblem(status, undefined))).toBe(true);
  expect(isPassing(new TypeError('Failed to fetch'))).toBe(true);
});
