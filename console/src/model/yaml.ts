// A value as YAML, to be read: what is written here says the same when a definition is applied from it.

const PLAIN = /^(?:[A-Za-z_$/](?:[\w$./@+-]|:(?=[\w/]))*(?: [\w$./@+(),;-]+)*|\d+(?:ms|[smhd]))$/;
// Words that YAML takes for something else.
const TAKEN = /^(?:true|false|null|yes|no|on|off|y|n|~|nan|inf)$/i;

function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? 'null';
  return PLAIN.test(value) && !TAKEN.test(value) ? value : JSON.stringify(value);
}

// Several lines stand as they are, where nothing of them would be lost.
function block(text: string, indent: string): string | null {
  const ends = text.endsWith('\n');
  const lines = (ends ? text.slice(0, -1) : text).split('\n');
  if (lines.length < 2 || lines.at(-1) === '' || /^\s/.test(text) || /[^\n\x20-\x7E\u00A0-\uD7FF]|[ \t]$/m.test(text)) return null;
  return `${ends ? '|' : '|-'}\n${lines.map((line) => (line === '' ? '' : indent + line)).join('\n')}`;
}

const isObject = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value);
const isEmpty = (value: unknown): boolean => (Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0);

function lines(value: unknown, indent: string): string[] {
  const child = (of: unknown, deeper: string): string[] => {
    if (typeof of === 'object' && of !== null && !isEmpty(of)) return lines(of, deeper);
    return [typeof of === 'string' ? block(of, deeper) ?? scalar(of) : scalar(of)];
  };
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const [first = '', ...rest] = child(item, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  return Object.entries(value as Record<string, unknown>).flatMap(([name, of]) => {
    const key = `${indent}${scalar(name)}:`;
    const inside = child(of, `${indent}  `);
    return typeof of === 'object' && of !== null && !isEmpty(of) ? [key, ...inside] : [`${key} ${inside[0]}`];
  });
}

export const yamlOf = (value: unknown): string => (typeof value === 'object' && value !== null && !isEmpty(value) ? lines(value, '').join('\n') : scalar(value));
