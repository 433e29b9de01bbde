// What one run asks: what led to it, each part with its own buttons, and several of them at once.

import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { decide, decisionSent } from '../../api/approvals';
import type { Approval, Run } from '../../api/client';
import { runQuery } from '../../api/queries';
import { askedOfRecord, type AskedGroup } from '../../model/approvals';
import { fieldsOf, textOf } from '../../model/events';
import { wordsOf } from '../../model/problem';
import { decidedWords } from '../../model/terms';
import { plural } from '../../model/text';
import { announce } from '../../ui/announce';
import { QueryState } from '../../ui/query_state';
import { Value } from '../../ui/value';
import { Ago } from '../../ui/when';
import { AgentName } from '../agents/agent_name';
import { Question } from '../approvals/question';
import { Settled } from '../approvals/settled';
import { Prose } from '../run/items';

const INPUT_SHOWN = 600; // characters

function Input({ of }: { of: unknown }) {
  if (typeof of !== 'string') return <Value of={of} />;
  return <p className="prose plain">{of.length > INPUT_SHOWN ? `${of.slice(0, INPUT_SHOWN)}\u2026` : of}</p>;
}

// What the model said before it asked, and how much was done before.
function Evidence({ run }: { run: Run }) {
  const steps = (run.steps ?? []).map(fieldsOf);
  const said = steps.findLast((step) => step['kind'] === 'model' && textOf(step['text']));
  const tools = steps.filter((step) => step['kind'] !== 'model' && step['status'] === 'completed').length;
  return (
    <section className="evidence" aria-label="What led to it">
      <h3>Asked for</h3>
      <Input of={run.input} />
      {said && <><h3>The agent{'\u2019'}s reasoning</h3><Prose text={textOf(said['text'])} /></>}
      {tools > 0 && <p className="note">{plural(tools, 'tool call')} done before: <Link to="/runs/$id" params={{ id: run.id }}>see the run</Link></p>}
    </section>
  );
}

interface Outcome { failed: string[] }

// Decides one after the other: each is a decision of its own, and what fails does not stop the rest.
async function decideAll(rows: readonly Approval[], decision: 'approve' | 'reject', comment: string): Promise<Outcome> {
  const failed: string[] = [];
  for (const row of rows) {
    try {
      await decide({ id: row.id, decision, sha256: row.arguments_sha256 ?? '', comment });
    } catch (error) {
      failed.push(`${row.tool}: ${wordsOf(error)}`);
    }
  }
  return { failed };
}

function Several({ run, waiting, marked, onMarked }: { run: string; waiting: readonly Approval[]; marked: ReadonlySet<string>; onMarked: (ids: Set<string>) => void }) {
  const [comment, setComment] = useState('');
  const chosen = waiting.filter((row) => marked.has(row.id));
  const mutation = useMutation({
    mutationFn: (decision: 'approve' | 'reject') => decideAll(chosen, decision, comment),
    onSuccess: ({ failed }, decision) => {
      announce(`${chosen.length - failed.length} ${decision === 'approve' ? 'approved' : 'rejected'}`);
      onMarked(new Set());
    },
    onSettled: () => decisionSent(run),
  });
  const off = chosen.length === 0 || mutation.isPending;
  const all = chosen.length === waiting.length;
  return (
    <div className="several" role="group" aria-label="Several at once">
      <label><input type="checkbox" checked={all} onChange={() => onMarked(new Set(all ? [] : waiting.map((row) => row.id)))} /> All {waiting.length}</label>
      <input type="text" placeholder="Reason for all of them (optional)" aria-label="Reason for all of them" maxLength={1000} value={comment} onChange={(event) => setComment(event.target.value)} />
      <button className="button primary" disabled={off} onClick={() => mutation.mutate('approve')}>Approve {chosen.length || ''}</button>
      <button className="button danger" disabled={off} onClick={() => mutation.mutate('reject')}>Reject {chosen.length || ''}</button>
      {mutation.data?.failed.map((words, i) => <p key={i} className="problem" role="alert">{words}</p>)}
    </div>
  );
}

export function Batch({ group, approval }: { group: AskedGroup<Approval>; approval: string | undefined }) {
  const query = useQuery(runQuery(group.run));
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  // Each question is answered by itself.
  const waiting = group.rows.filter((row) => row.status === 'pending' && row.kind !== 'question');
  const mark = (id: string) => {
    const next = new Set(marked);
    if (!next.delete(id)) next.add(id);
    setMarked(next);
  };
  return (
    <section className="batch" aria-label={`What run ${group.run} asks`}>
      <header className="title">
        <h2 className="asked-by"><AgentName of={group.rows[0]!.agent ?? ''} /></h2>
        <Link to="/runs/$id" params={{ id: group.run }}>run <code>{group.run}</code></Link>
      </header>
      <QueryState of={query} />
      {query.data && <Evidence run={query.data} />}
      {waiting.length > 1 && <Several run={group.run} waiting={waiting} marked={marked} onMarked={setMarked} />}
      {group.rows.map((row) => (
        <div key={row.id} className={row.id === approval ? 'item chosen' : 'item'} data-approval={row.id} tabIndex={-1}>
          {row.status === 'pending' && (
            <p className="asked-when">
              {waiting.length > 1 && row.kind !== 'question' && <label><input type="checkbox" checked={marked.has(row.id)} onChange={() => mark(row.id)} /> <span className="visually-hidden">Mark {row.tool}</span></label>}
              <span className="note">asked {row.requested_at && <Ago at={row.requested_at} />}</span>
            </p>
          )}
          {row.status === 'pending' ? <Question asked={askedOfRecord(row)} /> : (
            <Settled of={{
              run: row.run, tool: row.tool, status: row.status, isQuestion: row.kind === 'question', answer: row.answer, arguments: row.edited_arguments ?? row.arguments, by: row.decided_by ?? '', at: row.decided_at ?? '', comment: row.comment ?? '', more: decidedWords(row),
            }} />
          )}
        </div>
      ))}
    </section>
  );
}
