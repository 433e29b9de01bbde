// A run of the version that is shown, with a field for each name that its tools bind of the run's context.

import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { answered, api } from '../../api/client';
import { contextFields, contextValue, type ContextField } from '../../model/definition';
import { wordsOf } from '../../model/problem';

function Field({ field, typed, onType }: { field: ContextField; typed: string; onType: (typed: string) => void }) {
  const id = `context-${field.name}`;
  const choices = field.type === 'boolean' ? [true, false] : field.choices;
  const common = { id, required: field.required, value: typed, 'aria-describedby': `${id}-says` };
  return (
    <>
      <label htmlFor={id}>{field.name}{field.required ? '' : ' (optional)'}</label>
      {choices.length > 0
        ? <select {...common} onChange={(event) => onType(event.target.value)}><option value="" />{choices.map((choice) => <option key={String(choice)} value={String(choice)}>{String(choice)}</option>)}</select>
        : <input {...common} inputMode={field.type === 'number' || field.type === 'integer' ? 'decimal' : undefined} autoComplete="off" onChange={(event) => onType(event.target.value)} />}
      <p className="note" id={`${id}-says`}>{field.says}{field.type ? ` \u00B7 ${field.type}` : ''}</p>
    </>
  );
}

export function StartRun({ name, version, definition }: { name: string; version: string; definition: unknown }) {
  const navigate = useNavigate();
  const fields = contextFields(definition);
  const [input, setInput] = useState('');
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [key] = useState(() => crypto.randomUUID()); // sent twice, it is one run
  const start = useMutation({
    mutationFn: async () => {
      const given = fields.filter((field) => (typed[field.name] ?? '') !== '');
      const context = Object.fromEntries(given.map((field) => [field.name, contextValue(field, typed[field.name]!)]));
      return answered(api.POST('/api/v1/runs', {
        body: { agent: name, version, input, ...(given.length > 0 ? { context } : {}) } as never, params: { header: { 'Idempotency-Key': key } },
      }));
    },
    onSuccess: (run) => void navigate({ to: '/runs/$id', params: { id: run.id } }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate();
  };
  return (
    <form className="start" onSubmit={submit}>
      <label htmlFor="start-input">Input</label>
      <textarea id="start-input" rows={5} required autoFocus value={input} placeholder="What should the agent do?" onChange={(event) => setInput(event.target.value)}
        onKeyDown={(event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit(); }} />
      {fields.length > 0 && (
        <fieldset>
          <legend>Context</legend>
          <p className="note">What tools bind of the run: the model neither sees nor sets it.</p>
          {fields.map((field) => <Field key={field.name} field={field} typed={typed[field.name] ?? ''} onType={(text) => setTyped({ ...typed, [field.name]: text })} />)}
        </fieldset>
      )}
      <p className="buttons"><button className="button primary" type="submit" disabled={start.isPending}>Start run</button><span className="note">of version <code>{version.slice(0, 12)}</code></span></p>
      {start.isError && <p className="problem" role="alert">{wordsOf(start.error)}</p>}
    </form>
  );
}
