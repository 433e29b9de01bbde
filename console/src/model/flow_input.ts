// What a flow asks of whoever starts it, as fields: those of a question's form. Pure.

import { answerOf, fieldsOfForm, type FormField, type Typed } from './form';

const WHOLE = 'Input, as JSON';

// Nothing keeps a file before its run exists, so one is typed as JSON; what is no list of members is one field.
export function inputFieldsOf(schema: unknown): FormField[] {
  const fields = fieldsOfForm(schema).map((field): FormField => ({
    ...field, kind: field.kind === 'file' ? 'json' : field.kind, ...(field.name === '' ? { label: WHOLE, required: schema !== undefined } : {}),
  }));
  // The server keeps members by their names: what has to be given comes first.
  return fields.toSorted((a, b) => Number(b.required) - Number(a.required));
}

// Undefined: nothing was typed where the input is typed as a whole.
export function inputOf(fields: readonly FormField[], typed: Typed): unknown {
  return fields[0]?.name === '' && (typed[''] ?? '') === '' ? undefined : answerOf(fields, typed);
}
