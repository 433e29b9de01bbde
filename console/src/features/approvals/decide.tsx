// Whether a call may be made: what would be done first, then the buttons. What is sent names the arguments that were seen;
// the server refuses it for others.

import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { decide, decisionSent, type Decision } from '../../api/approvals';
import { changesOf, editedArguments, type Asked } from '../../model/approvals';
import { parsed } from '../../model/text';
import { announce } from '../../ui/announce';
import { Value } from '../../ui/value';
import { OnItsWay, Refused } from './refused';

type Choice = Exclude<Decision, 'answer'>;
const DONE: Record<Choice, string> = { approve: 'approved', edit: 'approved as edited', reject: 'rejected' };

const countedWords = ({ have, need }: { have?: number; need?: number }): string => `Your approval counts: ${have ?? 1} of ${need ?? 2}. It waits for others.`;

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

// `exact`: all of the arguments, once the record is there. `alone`: one decides; several approve the same arguments, and edit none.
export function Decide({ asked, exact, alone }: { asked: Asked; exact: unknown; alone: boolean }) {
  const [comment, setComment] = useState('');
  const [text, setText] = useState<string | null>(null); // of the edit, while there is one
  const [forRun, setForRun] = useState(false);
  const shown = exact ?? asked.arguments;
  const edit = text === null ? {} : editedArguments(text);
  const mutation = useMutation({
    mutationFn: (decision: Choice) => decide({ id: asked.id, decision, sha256: asked.sha256, comment, arguments: edit.value, forRun }),
    onSuccess: (record, decision) => announce(record.status === 'pending' ? `${asked.tool}: ${countedWords(record)}` : `${asked.tool}: ${DONE[decision]}`),
    onSettled: () => decisionSent(asked.run),
  });
  // One of several that are needed: it waits on, and a no still ends it.
  const counted = mutation.data?.status === 'pending' ? countedWords(mutation.data) : undefined;
  const waiting = mutation.isPending || (mutation.isSuccess && counted === undefined);
  const button = (decision: Choice, words: string, look: string, off = false) => (
    <button className={`button ${look}`} data-do={decision === 'reject' ? 'reject' : 'approve'} disabled={waiting || off || (decision !== 'reject' && counted !== undefined)} onClick={() => mutation.mutate(decision)}>{words}</button>
  );
  return (
    <>
      {text === null ? <Value of={shown} /> : (
        <>
          <textarea className="code" aria-label="Arguments as JSON" rows={Math.min(16, text.split('\n').length + 1)} value={text} onChange={(event) => setText(event.target.value)} spellCheck={false} autoFocus />
          {edit.wrong && <p className="problem" role="alert">{edit.wrong}</p>}
          <Changes before={shown} text={text} />
        </>
      )}
      <div className="actions">
        <input type="text" data-do="comment" placeholder="Comment (optional)" aria-label="Comment" maxLength={1000} value={comment} onChange={(event) => setComment(event.target.value)} />
        {text === null ? button('approve', forRun ? 'Approve for this run' : 'Approve', 'primary') : button('edit', 'Approve as edited', 'primary', edit.value === undefined)}
        {text === null
          ? alone && <button className="button" data-do="edit" disabled={waiting || exact === undefined} onClick={() => setText(JSON.stringify(parsed(shown), null, 2))}>Edit</button>
          : <button className="button" disabled={waiting} onClick={() => setText(null)}>Do not edit</button>}
        {button('reject', 'Reject', 'danger')}
        {text === null && <label className="check for-run"><input type="checkbox" checked={forRun} onChange={(event) => setForRun(event.target.checked)} /> <span>Allow for this run: later calls of <code>{asked.tool}</code> that the same rule asks about are made, too</span></label>}
      </div>
      {counted && <p className="note" role="status">{counted}</p>}
      <OnItsWay answer={mutation.data} />
      {mutation.isError && <Refused error={mutation.error} />}
    </>
  );
}
