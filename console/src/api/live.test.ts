// The stream against a browser's EventSource that says what the test wants.

import { beforeEach, expect, test } from 'vitest';
import { Live } from './live';

class Source {
  static all: Source[] = [];
  static readonly CLOSED = 2;
  readyState = 1;
  closed = false;
  onopen = () => {};
  onerror = () => {};
  #listeners = new Map<string, (message: { data: string; lastEventId: string }) => void>();
  readonly url: URL;

  constructor(address: string) {
    this.url = new URL(address, 'http://x');
    Source.all.push(this);
  }
  addEventListener(type: string, listener: (message: { data: string; lastEventId: string }) => void) { this.#listeners.set(type, listener); }
  close() { this.closed = true; }
  say(type: string, run: string, data: unknown, id: string, seq = 1) {
    this.#listeners.get(type)!({ data: JSON.stringify({ run, seq, type, at: '2026-01-01T00:00:00Z', data }), lastEventId: id });
  }
  get runs() { return this.url.searchParams.getAll('run'); }
  get cursor() { return this.url.searchParams.get('cursor'); }
}
const newest = () => Source.all.at(-1)!;
const soon = () => new Promise<void>((done) => queueMicrotask(done));
const delta = (offset: number, text: string) => ({ step: 1, attempt: 1, offset, text });
const textIn = (live: Live, run: string) => {
  const item = live.log(run).items[0];
  return item?.kind === 'step' ? item.stream?.text : undefined;
};

beforeEach(() => {
  Source.all = [];
  globalThis.EventSource = Source as unknown as typeof EventSource;
});

test('another run is another address, which goes on where the one before was', async () => {
  const live = new Live();
  live.hold('a', () => {});
  await soon();
  newest().say('delta', 'a', delta(0, 'one'), 'c1');
  live.hold('b', () => {});
  await soon();
  expect(Source.all.length).toBe(2);
  expect(Source.all[0]!.closed).toBe(true);
  expect([newest().runs, newest().cursor]).toEqual([['a', 'b'], 'c1']);
  newest().say('delta', 'a', delta(3, ' two'), 'c2');
  expect(textIn(live, 'a')).toBe('one two');
});

test('a run that was left stays for a while, and is whole when somebody comes back', async () => {
  const live = new Live();
  live.hold('a', () => {})();
  await soon();
  for (const run of ['b', 'c', 'd', 'e']) {
    live.hold(run, () => {})();
    await soon();
  }
  expect(newest().runs).toEqual(['c', 'd', 'e']);
});

test('a log that was dropped is not continued from a cursor that still speaks of it', async () => {
  const live = new Live();
  live.hold('a', () => {})();
  await soon();
  newest().say('delta', 'a', delta(0, 'one'), 'c1');
  for (const run of ['b', 'c', 'd', 'e']) {
    live.hold(run, () => {})();
    await soon();
  }
  live.hold('a', () => {});
  await soon();
  expect(newest().cursor).toBeNull();
  newest().say('delta', 'a', delta(0, 'one two'), 'c2');
  expect(textIn(live, 'a')).toBe('one two');
});

test('a reset begins the log anew', async () => {
  const live = new Live();
  live.hold('a', () => {});
  await soon();
  newest().say('delta', 'a', delta(0, 'lost'), 'c1', 9);
  newest().say('reset', 'a', null, 'c2');
  newest().say('delta', 'a', delta(0, 'kept'), 'c3', 1);
  expect(textIn(live, 'a')).toBe('kept');
});

test('who listens hears of news, and of a stream that was opened again', async () => {
  const live = new Live();
  const heard: unknown[] = [];
  live.onNews((event) => heard.push(event?.type ?? null));
  await soon();
  newest().onopen();
  newest().say('runs', '$runs', { run: 'x' }, 'c1');
  newest().onerror();
  expect(live.link).toBe('down');
  newest().onopen();
  expect(heard).toEqual([null, 'runs', null]);
  expect(live.link).toBe('live');
});

test('a page that was put away and comes back goes on where it was', async () => {
  const live = new Live();
  live.hold('a', () => {});
  await soon();
  newest().say('delta', 'a', delta(0, 'one'), 'c1');
  live.rest();
  expect(newest().closed).toBe(true);
  live.wake();
  live.wake();
  expect(Source.all.length).toBe(2);
  expect(newest().cursor).toBe('c1');
});
