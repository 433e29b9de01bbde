// A run of the version that is shown, with the fields of its `spec.input`. What is wrong with an input says the server; it is told
// at the field that it is about.

import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState, type FormEvent } from 'react';
import { startFlow } from '../../api/flows';
import { inputFieldsOf, inputOf } from '../../model/flow_input';
import { fieldSpokenOf, initialOf, type Typed } from '../../model/form';
import { ApiProblem, wordsOf } from '../../model/problem';
import { Field, fieldId } from '../approvals/form_field';
import '../approvals/answer.css';

export function StartFlow({ name, version, schema }: { name: string; version: string; schema: unknown }) {
  const navigate = useNavigate();
  const fields = useMemo(() => inputFieldsOf(schema), [schema]);
  const [typed, setTyped] = useState<Typed>(() => initialOf(fields));
  const [key] = useState(() => crypto.randomUUID()); // sent twice, it is one run
  const where = useRef<HTMLFormElement>(null);
  const start = useMutation({
    mutationFn: () => startFlow(name, version, inputOf(fields, typed), key),
    onSuccess: (run) => void navigate({ to: '/runs/$id', params: { id: run.id } }),
  });
  const wrong = start.error instanceof ApiProblem ? start.error.message : '';
  const wrongField = wrong ? fieldSpokenOf(wrong.slice(Math.max(0, wrong.indexOf('`'))), fields) : undefined;
  useEffect(() => {
    if (wrongField !== undefined) where.current?.querySelector<HTMLElement>(`#${CSS.escape(fieldId('flow', wrongField))}`)?.focus();
  }, [start.error, wrongField]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!start.isPending) start.mutate();
  };
  return (
    <form ref={where} className="start answer" aria-label={`Input of ${name}`} noValidate onSubmit={submit}>
      {fields.map((field) => (
        <Field key={field.name} approval="flow" field={field} id={fieldId('flow', field.name)} typed={typed[field.name] ?? ''} wrong={field.name === wrongField ? wrong : undefined}
          onType={(value) => setTyped((now) => ({ ...now, [field.name]: value }))} />
      ))}
      <p className="buttons"><button className="button primary" type="submit" disabled={start.isPending}>Start run</button><span className="note">of version <code>{version.slice(0, 12)}</code></span></p>
      {start.isError && wrongField === undefined && <p className="problem" role="alert">{wordsOf(start.error)}</p>}
    </form>
  );
}
