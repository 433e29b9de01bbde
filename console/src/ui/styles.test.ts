// @vitest-environment node
// Styles come with the screen that needs them, and stay. A screen that is styled by another's file would look as the way led to it.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(SRC, file), 'utf8');

// Lists of selectors, without comments; keyframes have none.
const listsOf = (file: string): string[] => [...read(file).replaceAll(/\/\*[^]*?\*\//g, '').matchAll(/([^{}]+)\{/g)]
  .map((match) => match[1]!.trim()).filter((list) => !list.startsWith('@') && !/^(from|to|[\d.]+%)$/.test(list));

// Each by itself; what stands in brackets is no beginning.
function selectorsOf(list: string): string[] {
  const bare = list.replaceAll(/\([^()]*\)/g, '');
  return bare === list ? list.split(',').map((selector) => selector.trim()) : selectorsOf(bare);
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' });
const sheets = files.filter((file) => file.endsWith('.css'));

test('what a selector begins with is a class of one file', () => {
  const owners = new Map<string, string>();
  const bad: string[] = [];
  for (const file of sheets) {
    for (const selector of listsOf(file).flatMap(selectorsOf)) {
      const first = /^[.#][\w-]+/.exec(selector)?.[0];
      if (first === undefined) {
        if (!file.startsWith('ui')) bad.push(`${file}: ${selector} is for every screen`);
      } else if ((owners.get(first) ?? file) !== file) {
        bad.push(`${file}: ${selector} is of ${owners.get(first)}`);
      } else {
        owners.set(first, file);
      }
    }
  }
  expect(bad).toEqual([]);
});

const imports = (file: string): string[] => (file.endsWith('.css') ? [] : [...read(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)])
  .flatMap((match) => ['', '.tsx', '.ts'].map((ending) => join(dirname(file), match[1]! + ending)).filter((path) => /\.\w+$/.test(path) && files.includes(path)));

function reached(from: string, seen = new Set<string>()): Set<string> {
  if (!seen.has(from)) {
    seen.add(from);
    for (const one of imports(from)) reached(one, seen);
  }
  return seen;
}

const classesOf = (file: string): Set<string> => new Set([...listsOf(file).join(' ').matchAll(/\.([a-zA-Z][\w-]*)/g)].map((match) => match[1]!));

test('a screen loads the styles of what it shows', () => {
  const styled = new Map(sheets.map((file) => [file, classesOf(file)]));
  const all = new Set([...styled.values()].flatMap((classes) => [...classes]));
  const everywhere = ['ui/theme.css', 'ui/parts.css', 'features/shell/shell.css'];
  const bad: string[] = [];
  for (const route of files.filter((file) => /^routes\/.*\.tsx$/.test(file))) {
    const shown = [...reached(route)];
    const known = new Set([...everywhere, ...shown.filter((file) => file.endsWith('.css'))].flatMap((file) => [...(styled.get(file) ?? [])]));
    for (const file of shown.filter((one) => one.endsWith('.tsx'))) {
      for (const match of read(file).matchAll(/className=(?:"([^"]+)"|\{`([^`]+)`\})/g)) {
        for (const name of (match[1] ?? match[2]!.replaceAll(/\$\{[^}]*\}/g, ' ')).split(/\s+/)) if (all.has(name) && !known.has(name)) bad.push(`${route}: ${file} shows ${name}`);
      }
    }
  }
  expect([...new Set(bad)]).toEqual([]);
});
