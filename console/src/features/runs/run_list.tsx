// All runs, newest first: only the rows in view exist, pages come as they are scrolled to, news as it happens.

import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { agentsQuery, followRuns, runsQuery, type RunFilter } from '../../api/queries';
import { QueryState } from '../../ui/query_state';
import { useKeys } from '../../ui/use_keys';
import { useTitle } from '../../ui/use_title';
import { Batch } from './batch';
import { RunRow } from './run_row';
import { SavedViews } from './saved_views';
import { TimeBrush, TimeFields } from './time_brush';
import './runs.css';

const STATUSES = ['queued', 'running', 'paused', 'parked', 'completed', 'failed', 'canceled', 'terminated', 'timed_out'];
const ROW = 45;
const PHONE_ROW = 78;
const AHEAD = 20; // rows from the end at which the next page is asked for
const PAGES_UNASKED = 50; // that are gone through for a status that few have

const isPhone = () => matchMedia('(max-width: 46rem)').matches;

// Without what says nothing.
const said = (view: RunFilter): Record<string, string> => Object.fromEntries(Object.entries(view).filter((part): part is [string, string] => Boolean(part[1])));

function FilterBar({ view, onView, onBatch }: { view: RunFilter; onView: (view: RunFilter) => void; onBatch: () => void }) {
  const { data } = useQuery(agentsQuery);
  const names = (data?.agents ?? []).map((agent) => agent.name);
  if (view.agent && !names.includes(view.agent)) names.unshift(view.agent);
  const change = (part: RunFilter) => onView(said({ ...view, ...part }));
  return (
    <div className="filter" role="search" aria-label="Filter runs">
      <select id="filter-status" aria-label="Status" value={view.status ?? ''} onChange={(event) => change({ status: event.target.value })}>
        <option value="">Every status</option>
        {STATUSES.map((status) => <option key={status} value={status}>{status.replace('_', ' ')}</option>)}
      </select>
      <select id="filter-agent" aria-label="Agent" value={view.agent ?? ''} onChange={(event) => change({ agent: event.target.value })}>
        <option value="">Every agent</option>
        {names.map((name) => <option key={name} value={name}>{name}</option>)}
      </select>
      <TimeFields range={view} onRange={change} />
      {Object.keys(said(view)).length > 0 && <button className="button quiet" onClick={() => onView({})}>Clear</button>}
      <button className="button quiet" onClick={onBatch}>Batch</button>
    </div>
  );
}

function useRuns(view: RunFilter) {
  const query = useInfiniteQuery(runsQuery(view));
  useEffect(() => followRuns(view), [view.status, view.agent, view.from, view.to]);
  const runs = useMemo(() => query.data?.pages.flatMap((page) => page.runs) ?? [], [query.data]);
  return { query, runs, more: query.hasNextPage };
}

export function RunList({ view, onView }: { view: RunFilter; onView: (view: RunFilter) => void }) {
  const { query, runs, more } = useRuns(view);
  const list = useRef<HTMLUListElement>(null);
  const [chosen, setChosen] = useState(-1);
  const [batch, setBatch] = useState(false);
  const [patience, setPatience] = useState(PAGES_UNASKED);
  const navigate = useNavigate();
  useTitle('Runs');
  const rows = useWindowVirtualizer({
    count: runs.length, estimateSize: () => (isPhone() ? PHONE_ROW : ROW), overscan: 10, scrollMargin: list.current?.offsetTop ?? 0,
    getItemKey: (index) => runs[index]?.id ?? index,
  });
  const shown = rows.getVirtualItems();
  const { isFetchingNextPage, fetchNextPage } = query;
  const last = shown.at(-1)?.index ?? 0;
  const pages = query.data?.pages.length ?? 0;
  const patient = runs.length > 0 || pages < patience;
  useEffect(() => {
    if (more && patient && !isFetchingNextPage && last >= runs.length - AHEAD) void fetchNextPage();
  }, [last, runs.length, pages, more, patient, isFetchingNextPage, fetchNextPage]);

  const move = (by: number) => {
    if (runs.length === 0) return;
    const next = Math.min(runs.length - 1, Math.max(0, chosen + by));
    setChosen(next);
    rows.scrollToIndex(next);
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-index="${next}"] a`)?.focus());
  };
  useKeys([
    { keys: 'j', says: 'Next run', run: () => move(1) },
    { keys: 'k', says: 'Run before', run: () => move(-1) },
    { keys: '/', says: 'Filter', run: () => document.getElementById('filter-status')?.focus() },
    { keys: 'n', says: 'New run', run: () => void navigate({ to: '/new' }) },
  ]);

  return (
    <div className="screen">
      <div className="title"><h1>Runs</h1><Link className="button primary small" to="/new">New run</Link></div>
      <SavedViews search={said(view)} />
      <FilterBar view={view} onView={onView} onBatch={() => setBatch(true)} />
      <TimeBrush view={view} onRange={(range) => onView(said({ ...view, ...range }))} />
      <QueryState of={query} />
      <div className="run-columns" aria-hidden="true"><span>Status</span><span>Agent</span><span>Input</span><span>Tokens</span><span>Cost</span><span>Took</span><span>Started</span></div>
      <ul className="runs" ref={list} aria-label="Runs" aria-busy={query.isPending} style={{ height: rows.getTotalSize() }}>
        {shown.map((row) => (
          <li key={row.key} data-index={row.index} aria-setsize={more ? -1 : runs.length} aria-posinset={row.index + 1}
            style={{ transform: `translateY(${row.start - rows.options.scrollMargin}px)`, height: row.size }}>
            <RunRow run={runs[row.index]!} />
          </li>
        ))}
      </ul>
      {query.isSuccess && runs.length === 0 && !isFetchingNextPage && <p className="empty">{Object.keys(said(view)).length > 0 ? 'No run fits the filter.' : <>No runs yet. <Link to="/new">Start one</Link>, <Link to="/chat">talk to an agent</Link>, or <code>holdfast run AGENT "..."</code></>}</p>}
      {more && !patient && <p><button className="button" onClick={() => setPatience(pages + PAGES_UNASKED)}>Look further back</button></p>}
      {isFetchingNextPage && <p className="note" role="status">Older runs are loading</p>}
      {batch && <Batch view={view} onClose={() => setBatch(false)} />}
    </div>
  );
}
