// One run: what was said and done first, its steps over time beside it. The address is the run: whoever leaves and comes
// back sees all of it, and what happens next.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { patchRun, runQuery } from '../../api/queries';
import { isFlow } from '../../model/flow';
import { forkFrom } from '../../model/forks';
import type { Item, RunLog } from '../../model/run_log';
import { ApiProblem, wordsOf } from '../../model/problem';
import { standingOf } from '../../model/standing';
import { announce } from '../../ui/announce';
import { signOf, wordOf } from '../../ui/chip';
import { QueryState } from '../../ui/query_state';
import { useTitle } from '../../ui/use_title';
import type { ForkStart } from '../forks/fork_dialog';
import { Lineage } from '../forks/lineage';
import { useRunLog } from '../use_live';
import { Composer } from './composer';
import { RunHead } from './run_head';
import { Timeline } from './timeline';
import { END_MARK, Transcript } from './transcript';
import './run.css';

const FlowRun = lazy(() => import('../flows/flow_run'));
const ForkDialog = lazy(() => import('../forks/fork_dialog'));
const RetryDialog = lazy(() => import('../forks/retry_dialog'));
const UndoDialog = lazy(() => import('../forks/undo_dialog'));

type Over = { what: 'fork'; start: ForkStart } | { what: 'retry' } | { what: 'undo' };

// Of a run of a flow: its graph, or all that happened one behind the other.
function FlowTabs({ id, step, view }: { id: string; step: number | undefined; view: 'transcript' | undefined }) {
  const tab = (of: 'transcript' | undefined, words: string) => (
    <Link to="/runs/$id" params={{ id }} search={{ step, view: of }} replace activeProps={{}} inactiveProps={{}} activeOptions={{ exact: true, includeSearch: true, explicitUndefined: true }}
      aria-current={of === view ? 'page' : undefined}>{words}</Link>
  );
  return <nav className="tabs run-tabs" aria-label="Views of the run">{tab(undefined, 'Graph')}{tab('transcript', 'Transcript')}</nav>;
}

interface Props { id: string; step: number | undefined; view: 'transcript' | undefined; onStep: (step: number | undefined) => void }

export function RunScreen({ id, step, view, onStep }: Props) {
  const [log, version] = useRunLog(id);
  const query = useQuery(runQuery(id));
  const { data: run, error } = query;
  useEffect(() => { if (run) patchRun(run); }, [run]);
  useTold(log, version);
  const [over, setOver] = useState<Over | null>(null);
  const close = () => setOver(null);
  const fork = (item: Item) => {
    const start = forkFrom(log.items, item);
    if (start) setOver({ what: 'fork', start: item.kind === 'step' ? { ...start, step: item } : start });
  };
  // The stream is ahead of the record: it says first that the run is over, and that somebody is asked.
  const standing = log.closed ? { status: log.closed, open: false }
    : run ? standingOf(log.pending ? { ...run, waiting_on: 'approval' } : run)
      : { status: log.pending ? 'pending' : 'running', open: true };
  const agent = run?.agent || log.agent;
  useTitle(agent ? `${signOf(standing.status)} ${agent} \u00B7 ${id}` : id);
  if (error instanceof ApiProblem && error.status === 404 && log.items.length === 0) {
    return <div className="screen"><p className="empty" role="alert">{wordsOf(error)} <Link to="/runs">All runs</Link></p></div>;
  }
  const failed = standing.open ? standing.status === 'parked' : standing.status !== 'completed';
  const replay = () => setOver({ what: 'fork', start: { at: failed ? 'failed' : 'start', edit: 'none', text: log.items.find((item) => item.kind === 'input')?.text ?? '' } });
  // A flow is given what it needs when it starts: nobody writes to it, and it is not forked.
  const ofFlow = isFlow(agent);
  return (
    <div className="screen run-screen">
      <RunHead id={id} run={run} log={log} standing={standing} onReplay={replay} onRetry={() => setOver({ what: 'retry' })} onUndo={() => setOver({ what: 'undo' })} />
      <QueryState of={query} />
      <div className="columns">
        <div>
          {ofFlow && <FlowTabs id={id} step={step} view={view} />}
          {ofFlow && view === undefined && <Suspense fallback={null}>{run && <FlowRun log={log} version={version} run={run} step={step} onStep={onStep} />}</Suspense>}
          {!(ofFlow && view === undefined) && <Transcript log={log} run={run} version={version} step={step} onStep={onStep} onFork={ofFlow ? undefined : fork} />}
          {standing.open && !ofFlow && <Composer id={id} held={standing.status === 'paused' || standing.status === 'parked'} />}
          <div id={END_MARK} />
        </div>
        <aside className="side">
          <Timeline log={log} version={version} step={step} onStep={onStep} />
          <Lineage id={id} run={run} log={log} version={version} />
        </aside>
      </div>
      <Suspense fallback={null}>
        {run && over?.what === 'fork' && <ForkDialog run={run} log={log} start={over.start} failed={failed} onClose={close} />}
        {run && over?.what === 'retry' && <RetryDialog run={run} onClose={close} />}
        {run && over?.what === 'undo' && <UndoDialog run={run} onClose={close} />}
      </Suspense>
    </div>
  );
}

// Says what happened while somebody is here, not what had happened before.
function useTold(log: RunLog, version: number): void {
  const told = useRef<{ at: number; asked: number; closed: string } | null>(null);
  useEffect(() => {
    const asked = log.items.filter((item) => item.kind === 'approval' && item.status === 'pending').length;
    const before = told.current;
    told.current = { at: version, asked, closed: log.closed };
    if (!before || before.at === 0) return;
    if (log.closed && !before.closed) announce(`the run is over: ${wordOf(log.closed)}`);
    else if (asked > before.asked) announce('a person is asked');
  }, [log, version]);
}
