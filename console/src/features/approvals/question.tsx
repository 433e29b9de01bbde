// A question to a person: what would be done first, then the buttons. What is sent names the arguments that were seen;
// the server refuses it for others.

import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { approvalQuery, decide, refreshPending, type Decision } from '../../api/approvals';
import { queryClient } from '../../api/queries';
import { changesOf, editedArguments, type Asked } from '../../model/approvals';
import { ApiProblem, wordsOf } from '../../model/problem';
import { parsed, until } from '../../model/text';
import { announce } from '../../ui/announce';
import { Chip } from '../../ui/chip';
import { useNow } from '../../ui/use_now';
import { Value } from '../../ui/value';

const DONE: Record<Decision, string> = { approve: 'approved', edit: 'approved as edited', reject: 'rejected' };

export function Expiry({ at }: { at: number }) {
  const now = useNow(1000);
  return <p className={`note expiry${at - now < 300_000 ? ' soon' : ''}`}><time dateTime={new Date(at).toISOString()} title={new Date(at).toLocaleString()}>{until(at, now)}</time></p>;
}

function Changes({ before, text }: { before: unknown; text: string }) {
  const { value } = editedArguments(text);
  const changes = value ? changesOf(before, value) : [];
  if (changes.length === 0) return null;
  return (
    <ul className="changes" aria-label="What the edit changes">
      {changes.map((change) => (
        <li key={change.name}><code>{change.name}</code> {change.before !== undefined && <del>{change.before}</del>} {change.after !== undefined && <ins>{change.after}</ins>}</li>
      ))}
    </ul>
  );
}

export function Question({ asked }: { asked: Asked }) {
  const [comment, setComment] = useState('');
  const [text, setText] = useState<string | null>(null); // of the edit, while there is one
  // The log holds the beginning of long arguments; the record all of them.
  const record = useQuery(approvalQuery(asked.id));
  const exact = record.data?.arguments ?? asked.arguments;
  const edit = text === null ? {} : editedArguments(text);
  const mutation = useMutation({
    mutationFn: (decision: Decision) => decide({ id: asked.id, decision, sha256: asked.sha256, comment, arguments: edit.value }),
    onSuccess: (_, decision) => announce(`${asked.tool}: ${DONE[decision]}`),
    onSettled: () => {
      void queryClient.invalidateQueries({ queryKey: ['run', asked.run] });
      void refreshPending();
    },
  });
  const waiting = mutation.isPending || mutation.isSuccess;
  const button = (decision: Decision, words: string, look: string, off = false) => (
    <button className={`button ${look}`} data-do={decision === 'reject' ? 'reject' : 'approve'} disabled={waiting || off} onClick={() => mutation.mutate(decision)}>{words}</button>
  );
  return (
    <article className="approval pending" aria-label={`Approval of ${asked.tool} is needed`}>
      <header><span className="kind">approval</span><strong>{asked.tool}</strong><Chip status="pending" /></header>
      {asked.reason && <p className="reason">{asked.reason}</p>}
      {text === null ? <Value of={exact} /> : (
        <>
          <textarea className="code" aria-label="Arguments as JSON" rows={Math.min(16, text.split('\n').length + 1)} value={text} onChange={(event) => setText(event.target.value)} spellCheck={false} autoFocus />
          {edit.wrong && <p className="problem" role="alert">{edit.wrong}</p>}
          <Changes before={exact} text={text} />
        </>
      )}
      {asked.expiresAt && <Expiry at={asked.expiresAt} />}
      <div className="actions">
        <input type="text" data-do="comment" placeholder="Comment (optional)" aria-label="Comment" maxLength={1000} value={comment} onChange={(event) => setComment(event.target.value)} />
        {text === null ? button('approve', 'Approve', 'primary') : button('edit', 'Approve as edited', 'primary', edit.value === undefined)}
        {text === null
          ? <button className="button" data-do="edit" disabled={waiting || !record.data} onClick={() => setText(JSON.stringify(parsed(exact), null, 2))}>Edit</button>
          : <button className="button" disabled={waiting} onClick={() => setText(null)}>Do not edit</button>}
        {button('reject', 'Reject', 'danger')}
      </div>
      {mutation.isError && <p className="problem" role="alert">{wordsOf(mutation.error)}{mutation.error instanceof ApiProblem && mutation.error.status === 409 ? ' It is shown as soon as the run says so.' : ''}</p>}
    </article>
  );
}
