// One action on all runs of a filter: first said which, then done.

import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { bulk, type BulkAction, type BulkRow, type BulkStatus } from '../../api/bulk';
import type { RunFilter } from '../../api/queries';
import { wordsOf } from '../../model/problem';
import { plural, rangeWords } from '../../model/text';
import { announce } from '../../ui/announce';
import { Dialog } from '../../ui/dialog';

const ACTIONS: Record<BulkStatus, readonly BulkAction[]> = {
  queued: ['pause', 'cancel'], running: ['pause', 'cancel'], paused: ['resume', 'cancel'], parked: ['resume', 'fail', 'cancel'],
  completed: ['retry'], failed: ['retry'], canceled: ['retry'], terminated: ['retry'], timed_out: ['retry'],
};
const WORDS: Record<BulkAction, string> = { pause: 'Pause', resume: 'Resume', fail: 'Fail', cancel: 'Cancel', retry: 'Retry' };
const DONE: Record<BulkAction, string> = { pause: 'paused', resume: 'resumed', fail: 'failed', cancel: 'cancelled', retry: 'retried' };
const STATUSES = Object.keys(ACTIONS) as BulkStatus[];
const MAX_ROWS = 10_000; // that are looked at in one go
const SHOWN = 100;

interface Outcome { dryRun: boolean; rows: BulkRow[]; done: boolean; cut: boolean; error: unknown }

function Rows({ rows }: { rows: BulkRow[] }) {
  return (
    <ul className="batch-rows" tabIndex={0} aria-label="Runs">
      {rows.slice(0, SHOWN).map((row) => (
        <li key={row.run} className={row.ok ? undefined : 'refused'}>
          <span>{row.agent}</span> <Link to="/runs/$id" params={{ id: row.run }}><code>{row.run}</code></Link>
          {row.started && <> {'\u2192'} <Link to="/runs/$id" params={{ id: row.started }}><code>{row.started}</code></Link></>}
          {row.why && <span className="note">{row.why}</span>}
        </li>
      ))}
      {rows.length > SHOWN && <li className="note">and {(rows.length - SHOWN).toLocaleString('en')} more</li>}
    </ul>
  );
}

function wordsOfOutcome({ dryRun, rows, done, cut }: Outcome, action: BulkAction): string {
  const fit = rows.filter((row) => row.ok).length;
  const refused = rows.length - fit;
  const head = `${plural(fit, 'run')} ${dryRun ? 'would be ' : ''}${DONE[action]}`;
  return `${head}${refused > 0 ? `, ${refused.toLocaleString('en')} not` : ''}${done ? '' : ' so far'}${cut ? '; there are more, do it again for them' : ''}.`;
}

export function Batch({ view: { status: asked, agent, from, to }, onClose }: { view: RunFilter; onClose: () => void }) {
  const [status, setStatus] = useState<BulkStatus>(STATUSES.find((one) => one === asked) ?? 'running');
  const [action, setAction] = useState<BulkAction>(ACTIONS[status][0]!);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const open = useRef(true);
  const going = outcome !== null && !outcome.done;
  useEffect(() => {
    open.current = true;
    return () => { open.current = false; };
  }, []);

  const go = async (dryRun: boolean) => {
    const all: BulkRow[] = [];
    const show = (part: Partial<Outcome>) => { if (open.current) setOutcome({ dryRun, rows: [...all], done: false, cut: false, error: null, ...part }); };
    let cut = false;
    show({});
    try {
      await bulk({ action, status, agent, from, to, dryRun }, (rows) => {
        all.push(...rows);
        show({});
        cut = all.length >= MAX_ROWS;
        return open.current && !cut;
      });
      show({ done: true, cut });
      if (!dryRun) announce(`done: ${all.filter((row) => row.ok).length} of ${all.length}`);
    } catch (error) {
      show({ done: true, error });
    }
  };
  const choose = (next: BulkStatus, what: BulkAction) => {
    setStatus(next);
    setAction(what);
    setOutcome(null);
  };
  const fit = outcome?.rows.filter((row) => row.ok).length ?? 0;
  const seen = outcome?.dryRun && outcome.done && !outcome.error && fit > 0;
  return (
    <Dialog label="Batch" onClose={onClose} className="batch-dialog">
      <h2>One action on many runs</h2>
      <p className="batch-choices">
        <label>Runs that are <select id="batch-status" value={status} disabled={going} onChange={(event) => { const next = event.target.value as BulkStatus; choose(next, ACTIONS[next][0]!); }}>{STATUSES.map((one) => <option key={one} value={one}>{one.replace('_', ' ')}</option>)}</select></label>
        <label>Action <select id="batch-action" value={action} disabled={going} onChange={(event) => choose(status, event.target.value as BulkAction)}>{ACTIONS[status].map((one) => <option key={one} value={one}>{WORDS[one].toLowerCase()}</option>)}</select></label>
        <span>{agent ? <>of <strong>{agent}</strong></> : 'of every agent'}{(from || to) && `, ${rangeWords({ from, to })}`}</span>
      </p>
      {outcome && (
        <>
          <p role="status">{wordsOfOutcome(outcome, action)}</p>
          {outcome.error !== null && <p className="problem" role="alert">{wordsOf(outcome.error)}</p>}
          {outcome.rows.length > 0 && <Rows rows={outcome.rows} />}
          {seen && <p className="note">What begins to fit until then is part of it.</p>}
        </>
      )}
      <p className="batch-buttons">
        {!seen && <button className={`button ${outcome?.dryRun === false ? '' : 'primary'}`} disabled={going} onClick={() => void go(true)}>Dry run</button>}
        {seen && <button className={`button ${action === 'cancel' || action === 'fail' ? 'danger' : 'primary'}`} onClick={() => void go(false)}>{WORDS[action]} {plural(fit, 'run')}</button>}
        <button className="button quiet" onClick={onClose}>Close</button>
      </p>
    </Dialog>
  );
}
