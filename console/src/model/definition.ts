// What a definition asks of whoever starts a run: the context that its tools bind.

import { fieldsOf, textOf } from './events';

export interface ContextField {
  name: string;
  type: string; // of JSON Schema; empty: any
  says: string;
  choices: unknown[];
  required: boolean;
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

// A tool's `bind: {ARGUMENT: {run: NAME}}`, with the argument's schema.
export function contextFields(definition: unknown): ContextField[] {
  const spec = fieldsOf(fieldsOf(definition)['spec']);
  const found = new Map<string, ContextField>();
  for (const source of [...listOf(spec['tools']), ...listOf(spec['mcp'])]) {
    const tool = fieldsOf(source);
    const parameters = fieldsOf(tool['parameters']);
    const properties = fieldsOf(parameters['properties']);
    const required = listOf(parameters['required']);
    for (const [argument, from] of Object.entries(fieldsOf(tool['bind']))) {
      const name = textOf(fieldsOf(from)['run']);
      if (!name) continue;
      const schema = fieldsOf(properties[argument]);
      const before = found.get(name);
      found.set(name, {
        name, type: before?.type || (typeof schema['type'] === 'string' ? schema['type'] : ''),
        says: before?.says || textOf(schema['description']) || `${textOf(tool['name'])}: ${argument}`,
        choices: before?.choices.length ? before.choices : listOf(schema['enum']),
        required: before?.required || !(argument in properties) || required.includes(argument),
      });
    }
  }
  return [...found.values()];
}

// What was typed, as the type says; throws what is wrong with it.
export function contextValue(field: ContextField, typed: string): unknown {
  if (field.choices.length > 0) return field.choices.find((choice) => String(choice) === typed);
  if (field.type === 'string') return typed;
  if (field.type === 'number' || field.type === 'integer') {
    const number = Number(typed);
    if (typed.trim() === '' || !Number.isFinite(number) || (field.type === 'integer' && !Number.isInteger(number))) throw new Error(`${field.name} must be ${field.type === 'integer' ? 'a whole number' : 'a number'}.`);
    return number;
  }
  if (field.type === 'boolean') return typed === 'true';
  try {
    return JSON.parse(typed);
  } catch {
    if (field.type === '') return typed;
    throw new Error(`${field.name} must be JSON (${field.type}).`);
  }
}
