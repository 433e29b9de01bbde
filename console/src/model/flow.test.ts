import { expect, test } from 'vitest';
import { graphOf, isFlow, waitsWords } from './flow';
import { BLOCK_HEIGHT, BLOCK_WIDTH, layoutOf, NARROW_WIDTH, neighbourOf, spread } from './flow_layout';
import { countsOf, statesOf, wasTaken } from './flow_run';
import type { RunEvent } from './events';
import { RunLog } from './run_log';

const flow = (blocks: object[]) => graphOf({ kind: 'Flow', metadata: { name: 'f' }, spec: { planner: 'V4', blocks } });
const ORDER = [
  { id: 'begin', type: 'start' },
  { id: 'reply', type: 'respond', needs: ['settled'] }, // a file need not be in order
  { id: 'size', type: 'branch', needs: ['begin'] },
  { id: 'slow', type: 'wait', needs: ['size.large'] },
  { id: 'fast', type: 'transform', needs: ['size.otherwise'], name: 'At once' },
  { id: 'settled', type: 'join', join: 'any', needs: ['slow', 'fast', 'size.error'] },
];
const [BEGIN, REPLY, SIZE, SLOW, FAST, SETTLED] = [0, 1, 2, 3, 4, 5];

let seq = 0;
const logOf = (...events: [string, object][]) => {
  const log = new RunLog('r');
  for (const [type, data] of [['run.started', { agent: 'flow:f' }] as [string, object], ...events]) {
    seq++;
    log.apply({ run: 'r', seq, type, at: new Date(1000 * seq).toISOString(), data } as RunEvent);
  }
  return log;
};
const done = (at: number, more: object = {}): [string, object] => ['step.completed', { step: at + 1, ...more }];

test('a definition is a graph in which each block stands behind what it needs', () => {
  const graph = flow(ORDER);
  expect(graph.order.indexOf(REPLY)).toBe(5);
  expect(graph.blocks[SETTLED]!.needs).toEqual([{ block: SLOW, outlet: 'done' }, { block: FAST, outlet: 'done' }, { block: SIZE, outlet: 'error' }]);
  expect(graph.behind[SIZE]).toEqual([SLOW, FAST, SETTLED]);
  expect(waitsWords(graph, graph.blocks[SETTLED]!)).toBe('waits for any of slow, fast, size.error');
  expect(waitsWords(graph, graph.blocks[SLOW]!)).toBe('waits for size.large');
  expect(waitsWords(graph, graph.blocks[BEGIN]!)).toBe('begins at once');
  expect([isFlow('flow:x'), isFlow('flow')]).toEqual([true, false]);
});

test('what is no definition is a graph of nothing', () => {
  for (const bad of [null, 'x', {}, { spec: { blocks: 7 } }]) {
    const graph = graphOf(bad);
    expect(graph.blocks).toEqual([]);
    expect(layoutOf(graph)).toMatchObject({ width: 0, height: 0, edges: [] });
  }
  // Needs of nobody, and circles, which no server stores.
  expect(layoutOf(flow([{ id: 'a', needs: ['b', 'none'] }, { id: 'b', needs: ['a'] }])).places).toHaveLength(2);
});

function expectSound(graph: ReturnType<typeof flow>) {
  const layout = layoutOf(graph);
  const { places, rows, width, height } = layout;
  const high = graph.blocks.filter((block) => block.needs.some((need) => places[block.at]!.y < places[need.block]!.y + BLOCK_HEIGHT));
  const close = rows.flatMap((row) => row.filter((at, i) => i > 0 && places[at]!.x < places[row[i - 1]!]!.x + BLOCK_WIDTH));
  const outside = places.filter(({ x, y }) => x < 0 || x + BLOCK_WIDTH > width || y + BLOCK_HEIGHT > height);
  expect({ high, close, outside }).toEqual({ high: [], close: [], outside: [] });
  return layout;
}

test('blocks stand below what they need and do not overlap; lines have their outlets', () => {
  const layout = expectSound(flow(ORDER));
  expect(layout.rows).toEqual([[BEGIN], [SIZE], expect.arrayContaining([SLOW, FAST]), [SETTLED], [REPLY]]);
  expect(layout.edges.filter((edge) => edge.label).map((edge) => edge.label!.text).toSorted()).toEqual(['error', 'large', 'otherwise']);
  expect(new Set(layout.edges.map((edge) => edge.path)).size).toBe(layout.edges.length);
});

test('a chain is one straight line', () => {
  const layout = expectSound(flow(Array.from({ length: 9 }, (_, i) => ({ id: `b${i}`, needs: i ? [`b${i - 1}`] : [] }))));
  expect(new Set(layout.places.map((place) => place.x)).size).toBe(1);
  expect(layout.width).toBeLessThan(390);
});

test('on a phone two blocks have room side by side', () => {
  const diamond = flow([{ id: 'a' }, { id: 'b', needs: ['a'] }, { id: 'c', needs: ['a'] }, { id: 'd', needs: ['b', 'c'] }]);
  expect(layoutOf(diamond, NARROW_WIDTH).width).toBeLessThanOrEqual(390 - 2 * 16 - 2); // without the page's edges and the picture's
});

test('a thousand blocks with long lines between them have their places', () => {
  const blocks = Array.from({ length: 1000 }, (_, i) => ({ id: `b${i}`, needs: i === 0 ? [] : [...new Set([Math.floor((i - 1) / 3), Math.max(0, i - 40), (i * 7919) % i])].map((of) => `b${of}`) }));
  expectSound(flow(blocks));
});

test('places are the nearest ones to those that are wanted', () => {
  expect(spread([0, 100], [10])).toEqual([0, 100]);
  expect(spread([0, 0, 0], [10, 10])).toEqual([-10, 0, 10]);
  expect(spread([50, 0], [10])).toEqual([20, 30]);
});

test('arrow keys lead along the row and along the lines', () => {
  const graph = flow(ORDER);
  const layout = layoutOf(graph);
  const [left, right] = layout.rows[2]!;
  expect(neighbourOf(graph, layout, left!, 'ArrowRight')).toBe(right);
  expect(neighbourOf(graph, layout, right!, 'ArrowRight')).toBe(undefined);
  expect(neighbourOf(graph, layout, right!, 'ArrowUp')).toBe(SIZE);
  expect(neighbourOf(graph, layout, SETTLED, 'ArrowDown')).toBe(REPLY);
  expect([neighbourOf(graph, layout, SLOW, 'Home'), neighbourOf(graph, layout, SLOW, 'End'), neighbourOf(graph, layout, SLOW, 'x')]).toEqual([BEGIN, REPLY, undefined]);
});

test('a block that is on a way not taken is skipped at once, one behind it too', () => {
  const graph = flow(ORDER);
  const states = statesOf(graph, logOf(done(BEGIN), done(SIZE, { outlet: 'otherwise' }), ['step.started', { step: FAST + 1, attempt: 1 }]));
  expect(states.map((state) => state.status)).toEqual(['completed', 'waiting', 'completed', 'skipped', 'running', 'waiting']);
  expect(states[SIZE]!.outlet).toBe('otherwise');
  expect([wasTaken(states, SIZE, ['otherwise']), wasTaken(states, SIZE, ['large']), wasTaken(states, FAST, ['done'])]).toEqual([true, false, undefined]);
  expect(countsOf(states)).toEqual([['completed', 2], ['waiting', 2], ['skipped', 1], ['running', 1]]);
});

test('an error goes on where something waits for it; what the run did not reach is no skipped block', () => {
  const graph = flow(ORDER);
  const states = statesOf(graph, logOf(done(BEGIN), ['step.failed', { step: SIZE + 1, error: 'no', error_type: 'RuleError' }], done(SETTLED)));
  expect(states[SIZE]).toMatchObject({ status: 'failed', outlet: 'error', error: 'no' });
  expect([states[SLOW]!.status, states[FAST]!.status, states[SETTLED]!.status]).toEqual(['skipped', 'skipped', 'completed']);
  const closed = statesOf(graph, logOf(done(BEGIN), ['step.started', { step: SIZE + 1 }], ['run.closed', { status: 'canceled' }]));
  expect(closed.map((state) => state.status)).toEqual(['completed', 'unreached', 'stopped', 'unreached', 'unreached', 'unreached']);
});

test('a call that was tried again within its activity counts the attempt that succeeded', () => {
  const graph = flow(ORDER);
  const shared = statesOf(graph, logOf(['step.started', { step: 1, attempt: 1 }], ['step.retrying', { step: 1, attempt: 1, error: '503' }], ['step.retrying', { step: 1, attempt: 2, error: '503' }], done(BEGIN)));
  expect(shared[BEGIN]).toMatchObject({ status: 'completed', attempts: 3, error: '' });
  const own = statesOf(graph, logOf(['step.retrying', { step: 1, attempt: 1, error: '503' }], ['step.started', { step: 1, attempt: 2 }], done(BEGIN)));
  expect(own[BEGIN]!.attempts).toBe(2);
});
