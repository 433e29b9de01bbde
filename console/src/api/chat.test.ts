import { expect, test, vi } from 'vitest';

// The client takes what it finds when it is made.
let answer: (request: Request) => Promise<Response>;
vi.stubGlobal('EventSource', class { close() {} addEventListener() {} });
vi.stubGlobal('Request', class extends Request { constructor(url: string, init?: RequestInit) { super(new URL(url, 'http://server'), init); } });
vi.stubGlobal('fetch', (request: Request) => answer(request));
const { say, sentQuery } = await import('./chat');
const { queryClient } = await import('./queries');

const answers = (...given: [number, unknown][]) => {
  const asked: [string, unknown][] = [];
  answer = async (request) => {
    asked.push([new URL(request.url).pathname, await request.json()]);
    const [status, body] = given[asked.length - 1]!;
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
  };
  return asked;
};
const saying = { conversation: 'talk', agent: 'payer', text: 'hello', id: 'one' };

test('what is said while a turn is under way goes into it', async () => {
  const asked = answers([202, { run: 'r', state: 'queued' }]);
  await say({ ...saying, into: 'r' });
  expect(asked).toEqual([['/api/v1/runs/r/messages', { input: 'hello', id: 'one', by: 'console' }]]);
});

test('what came too late for a turn begins the next one', async () => {
  const asked = answers([409, { code: 'run_closed' }], [202, { id: 'one', created: true }]);
  await say({ ...saying, into: 'r' });
  expect(asked[1]).toEqual(['/api/v1/runs', { agent: 'payer', input: 'hello', conversation: 'talk', id: 'one' }]);
  expect(queryClient.getQueryData(sentQuery('talk').queryKey)).toEqual([{ run: 'one', text: 'hello' }]);
});

test('what the agent refuses is told and begins nothing', async () => {
  const asked = answers([409, { code: 'message_rejected', detail: 'no' }]);
  await expect(say({ ...saying, into: 'r' })).rejects.toThrow('no');
  expect(asked.length).toBe(1);
});
