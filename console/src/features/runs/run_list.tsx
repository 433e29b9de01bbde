// All runs, newest first: only the rows in view exist, pages come as they are scrolled to, news as it happens.

import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { agentsQuery, followRuns, runsQuery, type RunFilter } from '../../api/queries';
import { wordsOf } from '../../model/problem';
import { useKeys } from '../../ui/use_keys';
import { RunRow } from './run_row';
import './runs.css';

const STATUSES = ['queued', 'running', 'paused', 'parked', 'completed', 'failed', 'canceled', 'terminated', 'timed_out'];
const ROW = 45;
const PHONE_ROW = 78;
const AHEAD = 20; // rows from the end at which the next page is asked for

const isPhone = () => matchMedia('(max-width: 46rem)').matches;

function FilterBar({ filter, onFilter }: { filter: RunFilter; onFilter: (filter: RunFilter) => void }) {
  const { data } = useQuery(agentsQuery);
  const names = (data?.agents ?? []).map((agent) => agent.name);
  if (filter.agent && !names.includes(filter.agent)) names.unshift(filter.agent);
  const change = (part: RunFilter) => {
    const next = { ...filter, ...part };
    onFilter({ ...(next.status ? { status: next.status } : {}), ...(next.agent ? { agent: next.agent } : {}) });
  };
  return (
    <div className="filter" role="search" aria-label="Filter runs">
      <select id="filter-status" aria-label="Status" value={filter.status ?? ''} onChange={(event) => change({ status: event.target.value })}>
        <option value="">Every status</option>
        {STATUSES.map((status) => <option key={status} value={status}>{status.replace('_', ' ')}</option>)}
      </select>
      <select id="filter-agent" aria-label="Agent" value={filter.agent ?? ''} onChange={(event) => change({ agent: event.target.value })}>
        <option value="">Every agent</option>
        {names.map((name) => <option key={name} value={name}>{name}</option>)}
      </select>
      {(filter.status || filter.agent) && <button className="button quiet" onClick={() => onFilter({})}>Clear</button>}
    </div>
  );
}

export function RunList({ filter, onFilter }: { filter: RunFilter; onFilter: (filter: RunFilter) => void }) {
  const query = useInfiniteQuery(runsQuery(filter));
  useEffect(() => followRuns({ status: filter.status, agent: filter.agent }), [filter.status, filter.agent]);
  const runs = useMemo(() => query.data?.pages.flatMap((page) => page.runs) ?? [], [query.data]);
  const list = useRef<HTMLUListElement>(null);
  const [chosen, setChosen] = useState(-1);
  const navigate = useNavigate();
  const rows = useWindowVirtualizer({
    count: runs.length, estimateSize: () => (isPhone() ? PHONE_ROW : ROW), overscan: 10, scrollMargin: list.current?.offsetTop ?? 0,
    getItemKey: (index) => runs[index]?.id ?? index,
  });
  const shown = rows.getVirtualItems();
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && last >= runs.length - AHEAD) void fetchNextPage();
  }, [last, runs.length, hasNextPage, isFetchingNextPage, fetchNextPage]);

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
      <FilterBar filter={filter} onFilter={onFilter} />
      {query.isError && <p className="problem" role="alert">{wordsOf(query.error)}</p>}
      <div className="run-columns" aria-hidden="true"><span>Status</span><span>Agent</span><span>Input</span><span>Tokens</span><span>Cost</span><span>Took</span><span>Started</span></div>
      <ul className="runs" ref={list} aria-label="Runs" aria-busy={query.isPending} style={{ height: rows.getTotalSize() }}>
        {shown.map((row) => (
          <li key={row.key} data-index={row.index} aria-setsize={hasNextPage ? -1 : runs.length} aria-posinset={row.index + 1}
            style={{ transform: `translateY(${row.start - rows.options.scrollMargin}px)`, height: row.size }}>
            <RunRow run={runs[row.index]!} />
          </li>
        ))}
      </ul>
      {query.isSuccess && runs.length === 0 && <p className="empty">{filter.status || filter.agent ? 'No run fits the filter.' : 'No runs yet.'}</p>}
      {isFetchingNextPage && <p className="note" role="status">Older runs are loading</p>}
    </div>
  );
}
