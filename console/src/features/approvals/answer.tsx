// What an agent does not know, and a person says: the form of the question. What is wrong with an answer says the server;
// it is told at the field that it is about, and the question stays open.

import { useIsMutating, useMutation } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState, type FormEvent } from 'react';
import { decide, decisionSent } from '../../api/approvals';
import { whoWords, type Asked, type AskedQuestion } from '../../model/approvals';
import { fieldsOf } from '../../model/events';
import { answerOf, fieldSpokenOf, fieldsOfForm, initialOf, type Typed } from '../../model/form';
import { ApiProblem } from '../../model/problem';
import { parsed } from '../../model/text';
import { announce } from '../../ui/announce';
import { Value } from '../../ui/value';
import { filesOf } from './file_control';
import { Field, fieldId } from './form_field';
import { OnItsWay, Refused } from './refused';
import './answer.css';

const DONE = { answer: 'answered', reject: 'declined' } as const;

const OF_THE_ANSWER = new Set(['invalid_answer', 'invalid_file', 'file_too_large']);

// The arguments of the call, where they say more than what was asked.
function Arguments({ of, text }: { of: unknown; text: string }) {
  const value = parsed(of);
  const values = Object.values(fieldsOf(value));
  if (values.length === 0 || (values.length === 1 && values[0] === text)) return null;
  return <details className="result"><summary>What the agent called it with</summary><Value of={value} /></details>;
}

export function Answer({ asked, question, exact }: { asked: Asked; question: AskedQuestion; exact: unknown }) {
  // By its words: the record is read again while somebody types.
  const form = JSON.stringify(question.form);
  const fields = useMemo(() => fieldsOfForm(JSON.parse(form ?? '{}')), [form]);
  const [typed, setTyped] = useState<Typed>(() => initialOf(fields));
  const [comment, setComment] = useState('');
  const where = useRef<HTMLFormElement>(null);
  const mutation = useMutation({
    mutationFn: (decision: 'answer' | 'reject') => decide({ id: asked.id, decision, sha256: asked.sha256, comment, answer: answerOf(fields, typed) }),
    onSuccess: (_, decision) => announce(`${asked.tool}: ${DONE[decision]}`),
    onSettled: () => decisionSent(asked.run),
  });
  const { error } = mutation;
  const wrong = error instanceof ApiProblem && OF_THE_ANSWER.has(error.code) ? error : undefined;
  const wrongField = wrong && fieldSpokenOf(wrong.message, fields);
  useEffect(() => {
    if (wrongField !== undefined) where.current?.querySelector<HTMLElement>(`#${CSS.escape(fieldId(asked.id, wrongField))}`)?.focus();
  }, [wrong, wrongField, asked.id]);
  const waiting = mutation.isPending || mutation.isSuccess;
  const sending = useIsMutating({ mutationKey: filesOf(asked.id) }) > 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!waiting && !sending) mutation.mutate('answer');
  };
  const who = whoWords(question.people, question.roles);
  return (
    <form ref={where} className="answer" aria-label={`Answer to ${asked.tool}`} noValidate onSubmit={submit}>
      <p className="prose plain question-text">{question.text}</p>
      <Arguments of={exact} text={question.text} />
      {who && <p className="note">For {who}.</p>}
      {fields.map((field) => (
        <Field key={field.name} approval={asked.id} field={field} id={fieldId(asked.id, field.name)} typed={typed[field.name] ?? ''} wrong={field.name === wrongField ? wrong?.message : undefined}
          onType={(value) => setTyped((now) => ({ ...now, [field.name]: value }))} />
      ))}
      {question.fallback !== undefined && <details className="result"><summary>When nobody answers</summary><Value of={question.fallback} /></details>}
      <div className="actions">
        <input type="text" data-do="comment" placeholder="Comment (optional)" aria-label="Comment" maxLength={1000} value={comment} onChange={(event) => setComment(event.target.value)} />
        <button className="button primary" data-do="approve" type="submit" disabled={waiting || sending}>Answer</button>
        <button className="button danger" data-do="reject" type="button" disabled={waiting} onClick={() => mutation.mutate('reject')}>Decline</button>
      </div>
      <OnItsWay answer={mutation.data} />
      {mutation.isError && wrongField === undefined && <Refused error={mutation.error} />}
    </form>
  );
}
