// A fork: from where, what is different, on which version; what it would do comes first, then it is started.

import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import type { Run } from '../../api/client';
import { planQuery, startFork } from '../../api/forks';
import { callOfStep, editsAt, forkBody, placeWords, type ForkAt, type ForkDraft, type ForkEdit } from '../../model/forks';
import { ApiProblem, wordsOf } from '../../model/problem';
import type { RunLog, StepItem } from '../../model/run_log';
import { announce } from '../../ui/announce';
import { Dialog } from '../../ui/dialog';
import { QueryState } from '../../ui/query_state';
import { PlanView } from './plan_view';
import { VersionField } from './version_field';
import './forks.css';

const EDITS: Record<ForkEdit, string> = { none: 'Nothing', prompt: 'Another prompt', message: 'A message behind it', tool_result: 'Another result of a call' };
const TEXTS: Record<Exclude<ForkEdit, 'none'>, string> = { prompt: 'The prompt', message: 'The message', tool_result: 'What the call answers' };

export interface ForkStart extends Pick<ForkDraft, 'at' | 'edit' | 'text'> { step?: StepItem }

const sameAt = (one: ForkAt, other: ForkAt): boolean => JSON.stringify(one) === JSON.stringify(other);

function Place({ places, at, onAt }: { places: readonly ForkAt[]; at: ForkAt; onAt: (at: ForkAt) => void }) {
  return (
    <fieldset className="fork-choices">
      <legend>From</legend>
      {places.map((place) => (
        <label key={placeWords(place)} className="check"><input type="radio" name="fork-at" checked={sameAt(place, at)} onChange={() => onAt(place)} /> <span>{placeWords(place)}</span></label>
      ))}
    </fieldset>
  );
}

// Which call: all that were made behind the beginning, as the server knows them.
function CallField({ run, log, step, call, onCall }: { run: string; log: RunLog; step: StepItem | undefined; call: string; onCall: (call: string) => void }) {
  const all = useQuery(planQuery(run, { at: 'start' }));
  const effects = all.data?.effects ?? [];
  const meant = step && step.tool !== 'model' ? callOfStep(log.items, step, effects) : '';
  // Whoever forks at a call means that one, until he says otherwise.
  useEffect(() => { if (meant !== '') onCall(meant); }, [meant]);
  return (
    <>
      <label>Of the call
        <select name="call" value={call} onChange={(event) => onCall(event.target.value)}>
          <option value="">{all.isPending ? 'Loading' : 'Choose'}</option>
          {effects.map((one) => <option key={`${one.message} ${one.call}`} value={one.call}>{one.tool}, message {one.message}, {one.call}</option>)}
        </select>
      </label>
      <QueryState of={all} />
      {all.isSuccess && effects.length === 0 && <p className="note">It made no call.</p>}
    </>
  );
}

export default function ForkDialog({ run, log, start, failed, onClose }: { run: Run; log: RunLog; start: ForkStart; failed: boolean; onClose: () => void }) {
  const navigate = useNavigate();
  const [draft, setDraft] = useState<ForkDraft>({ ...start, call: '', isError: false, version: '', reason: '' });
  const change = (part: Partial<ForkDraft>) => setDraft((now) => ({ ...now, ...part }));
  const body = forkBody(draft);
  // What it would do does not hang on the words.
  const asked = forkBody({ ...draft, text: draft.text.trim() ? '\u2026' : '', reason: '' });
  const plan = useQuery({ ...planQuery(run.id, asked ?? {}), enabled: asked !== undefined, placeholderData: keepPreviousData, retry: false });
  const sent = useRef({ said: '', key: '' });
  const fork = useMutation({
    mutationFn: () => {
      const said = JSON.stringify(body);
      if (sent.current.said !== said) sent.current = { said, key: crypto.randomUUID() };
      return startFork(run.id, body!, sent.current.key);
    },
    onSuccess: (made) => {
      announce('the fork has begun');
      onClose();
      void navigate({ to: '/runs/$id', params: { id: made.id } });
    },
  });
  const places: ForkAt[] = ['start', ...(failed ? ['failed' as const] : []), ...(typeof start.at === 'object' ? [start.at] : []), ...(typeof draft.at === 'object' && !sameAt(draft.at, start.at) ? [draft.at] : [])];
  const edits = editsAt(draft.at);
  const onAt = (at: ForkAt) => {
    const edit = editsAt(at).includes(draft.edit) ? draft.edit : 'none';
    change({ at, edit, text: at === 'start' && draft.text === '' ? (log.items.find((item) => item.kind === 'input')?.text ?? '') : draft.text });
  };
  const problem = asked !== undefined && plan.error instanceof ApiProblem ? plan.error : undefined;
  const seen = asked !== undefined && plan.isSuccess && !plan.isPlaceholderData;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (seen && !fork.isPending) fork.mutate();
  };
  return (
    <Dialog label="Fork the run" onClose={onClose} className="fork">
      <form className="dialog-form" onSubmit={submit}>
        <h2>Fork <code>{run.id}</code></h2>
        <p className="note">A run of its own that goes on from there. What stands before the place is shared and not done again; this run stays as it is.</p>
        <Place places={places} at={draft.at} onAt={onAt} />
        <fieldset className="fork-choices">
          <legend>What is different</legend>
          {edits.map((edit) => (
            <label key={edit} className="check"><input type="radio" name="fork-edit" checked={draft.edit === edit} onChange={() => change({ edit, text: edit === 'prompt' && draft.text === '' ? start.text : edit === 'tool_result' ? '' : draft.text })} /> <span>{EDITS[edit]}</span></label>
          ))}
        </fieldset>
        {draft.edit === 'tool_result' && <CallField run={run.id} log={log} step={start.step} call={draft.call} onCall={(call) => change({ call })} />}
        {draft.edit !== 'none' && <label>{TEXTS[draft.edit]}<textarea name="text" rows={4} value={draft.text} onChange={(event) => change({ text: event.target.value })} /></label>}
        {draft.edit === 'tool_result' && <label className="check"><input type="checkbox" checked={draft.isError} onChange={(event) => change({ isError: event.target.checked })} /> <span>It failed with that</span></label>}
        <VersionField run={run} version={draft.version} onVersion={(version) => change({ version })} />
        <label>Why (optional)<input name="reason" maxLength={1000} autoComplete="off" value={draft.reason} onChange={(event) => change({ reason: event.target.value })} /></label>
        <section className="fork-plan" aria-label="What it would do" aria-live="polite" aria-busy={plan.isFetching}>
          <h3>What it would do</h3>
          {asked === undefined && <p className="note">Say first what is different.</p>}
          {asked !== undefined && <QueryState of={plan} loading="The server is asked." />}
          {problem?.code === 'fork_needs_message' && <button type="button" className="button small" onClick={() => change({ edit: 'message' })}>Say something there</button>}
          {problem?.nearest !== undefined && <button type="button" className="button small" onClick={() => onAt({ message: problem.nearest! })}>Fork behind message {problem.nearest} instead</button>}
          {asked !== undefined && plan.isSuccess && <PlanView plan={plan.data} />}
        </section>
        {fork.isError && <p className="problem" role="alert">{wordsOf(fork.error)}</p>}
        <p className="buttons"><button className="button primary" type="submit" disabled={!seen || fork.isPending}>Start the fork</button><button className="button quiet" type="button" onClick={onClose}>Close</button></p>
      </form>
    </Dialog>
  );
}
