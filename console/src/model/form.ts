// The JSON Schema of a question as fields, and what was typed as its answer: pure. src/serve/http/form_fields.cc does the
// same for the page behind a link. Whether an answer is valid says the server, not this.

import { fieldsOf, textOf, type Fields } from './events';
import { parsed } from './text';

export type FieldKind = 'text' | 'lines' | 'number' | 'yes_no' | 'one' | 'some' | 'file' | 'json';

export interface FormField {
  kind: FieldKind;
  name: string; // the member; empty: the answer as a whole
  label: string; // as people read it
  hint: string;
  required: boolean;
  choices: unknown[]; // of 'one' and 'some'
  inputType: 'text' | 'email' | 'date' | 'url'; // of 'text'
  initial: string; // what stands in it at first: of 'one' the place of a choice
  maxLength: number | undefined;
  bounds: { min?: number; max?: number }; // of 'number'
  accept: string[]; // of 'file': its media types
  maxBytes: number;
}

// What stands in the fields: of 'one' the place of the choice, of 'some' those of all that are chosen, of 'file' what the
// server knows of it, as JSON.
export type Typed = Readonly<Record<string, string | readonly string[]>>;

const MAX_FIELDS = 100; // a form with more is typed as JSON
const ONE_LINE = 200; // characters
const MAX_UPLOAD = 3 * 1024 * 1024; // bytes, whatever the form says
const COMPOSED = ['$ref', 'allOf', 'anyOf', 'oneOf', 'if', 'patternProperties'];
const INPUT_TYPES: Record<string, FormField['inputType']> = { email: 'email', date: 'date', uri: 'url' };

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
const written = (value: unknown): string => (value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value));

function fieldOf(name: string, of: unknown, required: boolean): FormField {
  const schema = fieldsOf(of);
  const out: FormField = {
    kind: 'json', name, label: textOf(schema['title']) || name, hint: textOf(schema['description']), required,
    choices: [], inputType: 'text', initial: written(schema['default']), maxLength: undefined, bounds: {},
    accept: [], maxBytes: MAX_UPLOAD,
  };
  const { type } = schema;
  const choices = listOf(schema['enum']);
  if (choices.length > 0) {
    const at = choices.findIndex((choice) => same(choice, schema['default']));
    return { ...out, kind: 'one', choices, initial: at < 0 ? '' : String(at) };
  }
  if (type === 'object' && schema['format'] === 'file') {
    const most = schema['maxBytes'];
    return { ...out, kind: 'file', initial: '', accept: listOf(schema['accept']).map(textOf), maxBytes: typeof most === 'number' ? Math.min(most, MAX_UPLOAD) : MAX_UPLOAD };
  }
  if (type === 'boolean') return { ...out, kind: 'yes_no' };
  if (type === 'integer' || type === 'number') {
    const bound = (key: string) => (typeof schema[key] === 'number' ? schema[key] : undefined);
    const [min, max] = [bound('minimum'), bound('maximum')];
    return { ...out, kind: 'number', bounds: { ...(min !== undefined ? { min } : {}), ...(max !== undefined ? { max } : {}) } };
  }
  if (type === 'string') {
    const longest = schema['maxLength'];
    const maxLength = typeof longest === 'number' && longest > 0 ? longest : undefined;
    const inputType = INPUT_TYPES[textOf(schema['format'])] ?? 'text';
    const oneLine = inputType !== 'text' || (maxLength !== undefined && maxLength <= ONE_LINE);
    return { ...out, kind: oneLine ? 'text' : 'lines', maxLength, inputType };
  }
  const items = listOf(fieldsOf(schema['items'])['enum']);
  if (type === 'array' && items.length > 0) return { ...out, kind: 'some', choices: items, initial: '' };
  return out;
}

// A definition is sorted by name; beside properties that were written in another order stands which.
function propertiesOf(schema: Record<string, unknown>): [string, unknown][] {
  const properties = fieldsOf(schema['properties']);
  const told = listOf(schema['x-holdfast-order']).filter((name): name is string => typeof name === 'string' && name in properties);
  return [...new Set([...told, ...Object.keys(properties)])].map((name) => [name, properties[name]]);
}

export function fieldsOfForm(form: unknown): FormField[] {
  const schema = fieldsOf(form);
  const properties = propertiesOf(schema);
  if (COMPOSED.some((word) => word in schema) || properties.length === 0 || properties.length > MAX_FIELDS) {
    return [{ ...fieldOf('', {}, true), label: 'Answer, a JSON object' }];
  }
  const required = listOf(schema['required']);
  return properties.map(([name, of]) => fieldOf(name, of, required.includes(name)));
}

export const initialOf = (fields: readonly FormField[]): Typed => Object.fromEntries(fields.map((field) => [field.name, field.kind === 'some' ? [] : field.initial]));

// One that a double would round stays a text, too: better refused than changed.
function numberOfText(typed: string): number | string {
  const number = Number(typed);
  const exact = typed.trim() !== '' && Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number));
  return exact ? number : typed;
}

// What is no number and no JSON stays a text, which the schema refuses in its own words.
function valueOf(field: FormField, typed: string): unknown {
  switch (field.kind) {
    case 'one': return field.choices[Number(typed)];
    case 'yes_no': return typed === 'true';
    case 'number':
      return numberOfText(typed);
    case 'file':
    case 'json':
      try {
        return JSON.parse(typed) as unknown;
      } catch {
        return typed;
      }
    default: return typed;
  }
}

// A field that was left empty is no member.
export function answerOf(fields: readonly FormField[], typed: Typed): unknown {
  const out: Fields = {};
  for (const field of fields) {
    const value = typed[field.name] ?? '';
    if (typeof value !== 'string') {
      const some = field.choices.filter((_, at) => value.includes(String(at)));
      if (some.length > 0 || field.required) out[field.name] = some;
    } else if (value !== '') {
      if (field.name === '') return valueOf(field, value);
      out[field.name] = valueOf(field, value);
    }
  }
  return out;
}

// Which field the server speaks of: it names what is wrong first, as `refund` or `items[2].name`. Undefined: none of them.
export function fieldSpokenOf(detail: string, fields: readonly FormField[]): string | undefined {
  const path = /^`([^`]+)`/.exec(detail)?.[1];
  if (path === undefined) return undefined;
  const fits = fields.filter(({ name }) => name !== '' && path.startsWith(name) && /^(?:$|[.[])/.test(path.slice(name.length)));
  return fits.toSorted((a, b) => b.name.length - a.name.length)[0]?.name;
}

export interface GivenFile { field: string; blob: string; name: string }

// Files of an answer, by the fields that asked for them.
export function filesIn(answer: unknown): GivenFile[] {
  return Object.entries(fieldsOf(parsed(answer))).flatMap(([field, value]) => {
    const { blob, name } = fieldsOf(value);
    return typeof blob === 'string' && /^[0-9a-f]{64}$/.test(blob) ? [{ field, blob, name: textOf(name) || field }] : [];
  });
}
