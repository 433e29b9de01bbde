import { expect, test } from 'vitest';
import { MAX_VIEWS, sameView, viewsOf, withView } from './views';

test('what storage holds is views or nothing', () => {
  expect(viewsOf(null)).toEqual([]);
  expect(viewsOf('{')).toEqual([]);
  expect(viewsOf('[1, {"name": "a"}, {"name": "b", "search": {"status": 1}}, {"name": "c", "search": {"status": "failed"}}]')).toEqual([{ name: 'c', search: { status: 'failed' } }]);
});

test('a name stands for one view, and there are not too many', () => {
  let views = viewsOf('[]');
  for (let i = 0; i < MAX_VIEWS + 5; i++) views = withView(views, { name: `v${i}`, search: { agent: `${i}` } });
  expect(views.length).toBe(MAX_VIEWS);
  expect(withView(views, { name: 'v10', search: {} }).filter((view) => view.name === 'v10')).toEqual([{ name: 'v10', search: {} }]);
  expect(sameView({ a: '1', b: '2' }, { b: '2', a: '1' })).toBe(true);
});
