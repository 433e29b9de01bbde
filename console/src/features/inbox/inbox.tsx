// Everything that waits for a person, in all runs: on the left who asks, on the right what one run asks, with what led
// to it before the buttons. What others decide meanwhile stays, with their name.

import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { approvalQuery, pendingOf, pendingQuery } from '../../api/approvals';
import type { Approval } from '../../api/client';
import { queryClient, settled } from '../../api/queries';
import { groupsOf, keepSeen, type AskedGroup } from '../../model/approvals';
import { ago, plural, until } from '../../model/text';
import { announce } from '../../ui/announce';
import { wordOf } from '../../ui/chip';
import { QueryState } from '../../ui/query_state';
import { useKeys } from '../../ui/use_keys';
import { useNow } from '../../ui/use_now';
import { Batch } from './batch';
import '../run/run.css';
import './inbox.css';
import { isOwnName } from '../../api/session';

const TOLD = 20; // of so many at once it is asked how they ended

// What is pending, and what was while somebody looked.
function useSeen(pending: readonly Approval[] | undefined): [Approval[], (of: Approval) => void] {
  const [seen, setSeen] = useState<Approval[]>([]);
  const asking = useRef(new Set<string>());
  useEffect(() => { if (pending) setSeen((now) => keepSeen(now, pending).rows); }, [pending]);
  useEffect(() => {
    for (const id of keepSeen(seen, pending ?? seen).left.filter((one) => !asking.current.has(one)).slice(0, TOLD)) {
      asking.current.add(id);
      void queryClient.fetchQuery({ ...approvalQuery(id), staleTime: 0 }).then((record) => {
        if (record.status === 'pending') return;
        setSeen((now) => now.map((row) => (row.id === id ? record : row)));
        if (record.decided_by && !isOwnName(record.decided_by)) announce(`${record.tool}: ${wordOf(record.status)} by ${record.decided_by}`);
      }).catch(() => { /* asked again with the next news */ }).finally(() => asking.current.delete(id));
    }
  }, [pending, seen]);
  const add = (of: Approval) => setSeen((now) => (now.some((row) => row.id === of.id) ? now : [...now, of]));
  return [seen, add];
}

const waitingIn = (group: AskedGroup<Approval>) => group.rows.filter((row) => row.status === 'pending');

function GroupRow({ group, chosen, now, onChoose }: { group: AskedGroup<Approval>; chosen: boolean; now: number; onChoose: () => void }) {
  const waiting = waitingIn(group);
  const first = waiting[0] ?? group.rows[0]!;
  const tools = [...new Set(group.rows.map((row) => row.tool))].join(', ');
  const ends = waiting.flatMap((row) => (row.expires_at ? [Date.parse(row.expires_at)] : []));
  return (
    <li>
      <button className="asks" data-run={group.run} aria-current={chosen ? 'true' : undefined} onClick={onChoose}>
        <strong>{first.agent}</strong>
        <time dateTime={first.requested_at} title={first.requested_at}>{first.requested_at ? ago(first.requested_at, now) : ''}</time>
        <span className="asks-tools">{tools}</span>
        <span className={waiting.length > 0 ? 'asks-count' : 'asks-count none'}>{waiting.length > 0 ? `${waiting.length} waiting` : wordOf(first.status)}</span>
        {ends.length > 0 && <span className={`note asks-expiry${Math.min(...ends) - now < 300_000 ? ' soon' : ''}`}>{until(Math.min(...ends), now)}</span>}
      </button>
    </li>
  );
}

// Keys bring to what decides; none decides.
function toPart(id: string | undefined, part: string): void {
  const card = id === undefined ? null : document.querySelector(`[data-approval="${CSS.escape(id)}"]`);
  const found = card?.querySelector<HTMLElement>(`[data-do="${part}"]`);
  if (part === 'edit' && found) found.click();
  else found?.focus();
}

export function Inbox({ approval, onApproval }: { approval: string | undefined; onApproval: (id: string | undefined) => void }) {
  const query = useInfiniteQuery(pendingQuery);
  const now = useNow(1000);
  const pending = useMemo(() => (query.data ? pendingOf(query.data) : undefined), [query.data]);
  const [seen, add] = useSeen(pending);
  // One that was led to from elsewhere may be on no page that is there.
  const linked = useQuery({ ...approvalQuery(approval ?? ''), enabled: approval !== undefined && query.isSuccess && !seen.some((row) => row.id === approval) });
  useEffect(() => { if (linked.data) add(linked.data); }, [linked.data]);

  const groups = groupsOf(seen);
  const chosen = groups.find((group) => group.rows.some((row) => row.id === approval)) ?? (approval === undefined ? groups[0] : undefined);
  const rows = groups.flatMap((group) => group.rows);
  const at = approval ?? chosen?.rows[0]?.id;
  const move = (by: number) => {
    const next = rows[Math.min(rows.length - 1, Math.max(0, (approval === undefined ? (by > 0 ? -1 : 0) : rows.findIndex((row) => row.id === approval)) + by))];
    if (!next) return;
    onApproval(next.id);
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-approval="${CSS.escape(next.id)}"]`)?.focus());
  };
  useKeys([
    { keys: 'j', says: 'Next approval', run: () => move(1) },
    { keys: 'k', says: 'Approval before', run: () => move(-1) },
    { keys: 'a', says: 'To its Approve (Enter approves)', run: () => toPart(at, 'approve') },
    { keys: 'e', says: 'Edit its arguments', run: () => toPart(at, 'edit') },
    { keys: 'r', says: 'To the reason, then Reject', run: () => toPart(at, 'comment') },
  ]);
  const count = seen.filter((row) => row.status === 'pending').length;
  return (
    <div className={approval === undefined ? 'screen inbox' : 'screen inbox chosen'}>
      <div className="title"><h1>Inbox</h1><span className="note">{query.isSuccess && (count > 0 ? `${plural(count, 'approval')}${query.hasNextPage ? ' and more' : ''}` : 'nothing waits')}</span></div>
      <QueryState of={query} />
      <div className="inbox-columns">
        <div className="inbox-list">
          <ul aria-label="Runs that ask" aria-busy={query.isPending}>
            {groups.map((group) => (
              <GroupRow key={group.run} group={group} chosen={group === chosen} now={now} onChoose={() => onApproval((waitingIn(group)[0] ?? group.rows[0]!).id)} />
            ))}
          </ul>
          {query.isSuccess && groups.length === 0 && <p className="empty">No run waits for a person.</p>}
          {query.hasNextPage && <button className="button quiet" disabled={query.isFetchingNextPage} onClick={() => void settled(pendingQuery.queryKey).then(() => query.fetchNextPage())}>Older ones</button>}
        </div>
        <div className="inbox-detail">
          {approval !== undefined && <button className="button small back" onClick={() => onApproval(undefined)}>All approvals</button>}
          <QueryState of={linked} />
          {chosen && <Batch key={chosen.run} group={chosen} approval={at} />}
        </div>
      </div>
    </div>
  );
}
