// A question to a person: what would be done first, then the buttons. What is sent names the arguments that were seen;
// the server refuses it for others.

import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answered, api } from '../../api/client';
import { queryClient } from '../../api/queries';
import { numberOf, textOf } from '../../model/events';
import { ApiProblem, wordsOf } from '../../model/problem';
import type { ApprovalItem } from '../../model/run_log';
import { parsed, until } from '../../model/text';
import { announce } from '../../ui/announce';
import { Chip } from '../../ui/chip';
import { Value } from '../../ui/value';

type Decision = 'approve' | 'edit' | 'reject';
const DONE: Record<Decision, string> = { approve: 'approved', edit: 'approved as edited', reject: 'rejected' };

export function ApprovalView({ run, item }: { run: string; item: ApprovalItem }) {
  if (item.status === 'pending') return <Question run={run} item={item} />;
  const by = textOf(item.data['decided_by']);
  const comment = textOf(item.data['comment']);
  return (
    <article className={`approval ${item.status}`} aria-label={`Approval of ${item.tool}`}>
      <header><span className="kind">approval</span><strong>{item.tool}</strong><Chip status={item.status} /></header>
      <Value of={item.data['edited_arguments'] ?? item.data['arguments']} />
      {item.decidedAt && <p className="note">{item.status}{by && ` by ${by}`}, <time dateTime={item.decidedAt}>{new Date(item.decidedAt).toLocaleString()}</time></p>}
      {comment && <p className="note">{'\u201C'}{comment}{'\u201D'}</p>}
    </article>
  );
}

// What may be sent in the place of the arguments, or what is wrong with it.
function edited(text: string): { value?: Record<string, unknown>; wrong?: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return { value: value as Record<string, unknown> };
    return { wrong: 'arguments are a JSON object' };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}

function Question({ run, item }: { run: string; item: ApprovalItem }) {
  const [comment, setComment] = useState('');
  const [text, setText] = useState<string | null>(null); // of the edit, while there is one
  // The log holds the beginning of long arguments; the record all of them.
  const record = useQuery({ queryKey: ['approval', item.id], queryFn: () => answered(api.GET('/api/v1/approvals/{id}', { params: { path: { id: item.id } } })) });
  const exact = record.data?.arguments ?? item.data['arguments'];
  const edit = text === null ? {} : edited(text);
  const decide = useMutation({
    mutationFn: (decision: Decision) => answered<unknown>(api.POST('/api/v1/approvals/{id}/decision', {
      params: { path: { id: item.id } },
      body: {
        decision, decided_by: 'console', arguments_sha256: textOf(item.data['arguments_sha256']), ...(comment ? { comment } : {}),
        ...(decision === 'edit' ? { arguments: edit.value } : {}),
      },
    })),
    onSuccess: (_, decision) => announce(`${item.tool}: ${DONE[decision]}`),
    onSettled: () => void queryClient.invalidateQueries({ queryKey: ['run', run] }),
  });
  const waiting = decide.isPending || decide.isSuccess;
  const button = (decision: Decision, words: string, look: string, off = false) => (
    <button className={`button ${look}`} disabled={waiting || off} onClick={() => decide.mutate(decision)}>{words}</button>
  );
  const reason = textOf(item.data['reason']);
  const expires = numberOf(item.data['expires_at_ms']);
  return (
    <article className="approval pending" aria-label={`Approval of ${item.tool} is needed`}>
      <header><span className="kind">approval</span><strong>{item.tool}</strong><Chip status="pending" /></header>
      {reason && <p className="reason">{reason}</p>}
      {text === null ? <Value of={exact} /> : (
        <>
          <textarea className="code" aria-label="Arguments as JSON" rows={Math.min(16, text.split('\n').length + 1)} value={text} onChange={(event) => setText(event.target.value)} spellCheck={false} />
          {edit.wrong && <p className="problem" role="alert">{edit.wrong}</p>}
        </>
      )}
      {expires && <p className="note">{until(expires)}</p>}
      <div className="actions">
        <input type="text" placeholder="Comment (optional)" aria-label="Comment" maxLength={1000} value={comment} onChange={(event) => setComment(event.target.value)} />
        {text === null ? button('approve', 'Approve', 'primary') : button('edit', 'Approve as edited', 'primary', edit.value === undefined)}
        {text === null
          ? <button className="button" disabled={waiting || !record.data} onClick={() => setText(JSON.stringify(parsed(exact), null, 2))}>Edit</button>
          : <button className="button" disabled={waiting} onClick={() => setText(null)}>Do not edit</button>}
        {button('reject', 'Reject', 'danger')}
      </div>
      {decide.isError && <p className="problem" role="alert">{wordsOf(decide.error)}{decide.error instanceof ApiProblem && decide.error.status === 409 ? ' It is shown as soon as the run says so.' : ''}</p>}
    </article>
  );
}
