// @vitest-environment node
import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import pages from '../pages.json';

const source = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

test('what the server answers with the console are the addresses of the router', () => {
  const routed = [...source('./router.tsx').matchAll(/path: '([^']+)'/g)].map((match) => match[1]!.replace(/\$(\w+)/g, '{$1}'));
  expect(routed.toSorted()).toEqual(pages.toSorted());
});

// Routes see features; features see ui, model and api; those see nothing above them, and model nothing but itself.
const MAY_NOT: Record<string, RegExp> = {
  model: /from '\.\.\/|react/, api: /from '\.\.?\/(features|routes|ui)|from 'react'/, ui: /from '\.\.\/(features|routes|api)/, features: /from '(\.\.\/)+routes/,
};

test('each layer imports what it may', () => {
  const bad: string[] = [];
  for (const [layer, forbidden] of Object.entries(MAY_NOT)) {
    for (const name of readdirSync(new URL(`./${layer}`, import.meta.url), { recursive: true }) as string[]) {
      if (!/\.tsx?$/.test(name) || name.includes('.test.')) continue;
      for (const line of source(`./${layer}/${name}`).split('\n')) if (line.startsWith('import') && forbidden.test(line)) bad.push(`${layer}/${name}: ${line}`);
    }
  }
  expect(bad).toEqual([]);
});

test('nothing puts text into the page as markup', () => {
  const bad = (readdirSync(new URL('.', import.meta.url), { recursive: true }) as string[])
    .filter((name) => /\.tsx?$/.test(name) && !name.includes('.test.') && /dangerouslySetInnerHTML|innerHTML|insertAdjacentHTML|document\.write/.test(source(`./${name}`)));
  expect(bad).toEqual([]);
});
