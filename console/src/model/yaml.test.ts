import { expect, test } from 'vitest';
import { yamlOf } from './yaml';

test('maps, lists and texts of several lines', () => {
  expect(yamlOf({ kind: 'Agent', spec: { prompt: 'One.\nTwo.', tools: [{ name: 'pay', when: [] }, { name: 'ask' }], limits: {} } })).toBe([
    'kind: Agent', 'spec:', '  prompt: |-', '    One.', '    Two.', '  tools:', '    - name: pay', '      when: []', '    - name: ask', '  limits: {}',
  ].join('\n'));
});

test('what YAML would take for something else is quoted', () => {
  expect(yamlOf({ a: 'yes', b: '1', c: 'x: y', d: '', e: ' x', f: 1, g: null, h: '# x', i: '"', j: 'a #b', k: '1h', m: 'http://a:80/b', n: 'a:', l: '2026-11-29' })).toBe(
    'a: "yes"\nb: "1"\nc: "x: y"\nd: ""\ne: " x"\nf: 1\ng: null\nh: "# x"\ni: "\\""\nj: "a #b"\nk: 1h\nm: http://a:80/b\n"n": "a:"\nl: "2026-11-29"');
  expect(yamlOf({ 'y': 'a\n b ', '*': 'end\n\n' })).toBe('"y": "a\\n b "\n"*": "end\\n\\n"');
  expect(yamlOf([['a', 'b'], 'one\ntwo\n'])).toBe('- - a\n  - b\n- |\n  one\n  two');
});
