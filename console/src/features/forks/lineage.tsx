// Where a run comes from, and what goes on from it.

import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { Run } from '../../api/client';
import { forksQuery } from '../../api/forks';
import { queryClient, settled } from '../../api/queries';
import type { RunLog } from '../../model/run_log';
import { QueryState } from '../../ui/query_state';
import { Ago } from '../../ui/when';
import './forks.css';

const RunLink = ({ id }: { id: string }) => <Link to="/runs/$id" params={{ id }}><code>{id}</code></Link>;
const Compare = ({ id, other }: { id: string; other: string }) => <Link to="/runs/$id/diff/$other" params={{ id, other }} aria-label={`Compare ${id} with ${other}`}>compare</Link>;

export function Lineage({ id, run, log }: { id: string; run: Run | undefined; log: RunLog; version: number }) {
  const query = useInfiniteQuery(forksQuery(id));
  const told = log.items.filter((item) => item.kind === 'note' && item.type === 'run.forked').length;
  useEffect(() => { if (told > 0) void queryClient.invalidateQueries({ queryKey: ['forks', id] }); }, [id, told]);
  const forks = query.data?.pages.flatMap((page) => page.forks) ?? [];
  const from = run?.forked_from;
  if (!from && !run?.origin && forks.length === 0 && !query.isError) return null;
  return (
    <section className="lineage" aria-label="Forks">
      <h2>Forks</h2>
      <ul>
        {from && (
          <li>
            forked from <RunLink id={from.run} /> behind message {from.at.message} <Compare id={from.run} other={id} />
            {(from.edit || from.reason || from.by) && <p className="note">{[from.edit && `with another ${from.edit.replace('_', ' ')}`, from.by && `by ${from.by}`, from.reason].filter(Boolean).join(', ')}</p>}
          </li>
        )}
        {run?.origin && !from && <li>takes up <RunLink id={run.origin} /> <Compare id={run.origin} other={id} /></li>}
        {forks.map((one) => (
          <li key={one.run}>
            <RunLink id={one.run} /> <Compare id={id} other={one.run} />
            <p className="note">{one.how === 'undo' ? 'took back what it did' : one.how === 'retry' ? 'took it up' : `from message ${one.forked_from?.at.message ?? 0}`}, <Ago at={one.at} />{one.by && ` by ${one.by}`}</p>
          </li>
        ))}
      </ul>
      {query.hasNextPage && <button className="button small quiet" disabled={query.isFetchingNextPage} onClick={() => void settled(forksQuery(id).queryKey).then(() => query.fetchNextPage())}>More forks</button>}
      <QueryState of={query} />
    </section>
  );
}
