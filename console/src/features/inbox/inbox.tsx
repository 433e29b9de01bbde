// What waits for a person, everybody's or one's own, in all runs: on the left who asks, on the right what one run asks, with what led
// to it before the buttons. What others decide meanwhile stays, with their name.

import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { approvalQuery, pendingOf, pendingQuery } from '../../api/approvals';
import type { Approval } from '../../api/client';
import { queryClient, settled } from '../../api/queries';
import { groupsOf, keepSeen, lineOfAsked, type AskedGroup } from '../../model/approvals';
import { until } from '../../model/text';
import { nothingWords, type Whose } from '../../model/whose';
import { announce } from '../../ui/announce';
import { wordOf } from '../../ui/chip';
import { QueryState } from '../../ui/query_state';
import { useKeys } from '../../ui/use_keys';
import { useNow } from '../../ui/use_now';
import { useTitle } from '../../ui/use_title';
import { Ago } from '../../ui/when';
import { AgentName } from '../agents/agent_name';
import { Batch } from './batch';
import { WhoseFilter } from './whose_filter';
import '../run/run.css';
import './inbox.css';
import { isOwnName } from '../../api/session';

const TOLD = 20; // of so many at once it is asked how they ended
const PAGES_UNASKED = 10; // that are gone through for an inbox of few

const isSame = (a: Approval, b: Approval): boolean => JSON.stringify(a) === JSON.stringify(b);

// What is pending, and what was while somebody looked.
function useSeen(pending: readonly Approval[] | undefined): [Approval[], (of: Approval) => void] {
  const [seen, setSeen] = useState<Approval[]>([]);
  const asking = useRef(new Set<string>());
  useEffect(() => { if (pending) setSeen((now) => keepSeen(now, pending).rows); }, [pending]);
  useEffect(() => {
    for (const id of keepSeen(seen, pending ?? seen).left.filter((one) => !asking.current.has(one)).slice(0, TOLD)) {
      asking.current.add(id);
      void queryClient.fetchQuery({ ...approvalQuery(id), staleTime: 0 }).then((record) => {
        // One that left may wait for others still: a vote of one's own has changed it.
        setSeen((now) => (now.some((row) => row.id === id && !isSame(row, record)) ? now.map((row) => (row.id === id ? record : row)) : now));
        if (record.status !== 'pending' && record.decided_by && !isOwnName(record.decided_by)) announce(`${record.tool}: ${wordOf(record.status)} by ${record.decided_by}`);
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
        <strong><AgentName of={first.agent ?? ''} /></strong>
        {first.requested_at ? <Ago at={first.requested_at} /> : <span />}
        <span className="asks-tools">{tools}</span>
        <span className="asks-what">{lineOfAsked(first)}</span>
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

// What waits in one inbox. A page of one that is not everybody's may be empty, with more behind it.
function usePending(whose: Whose) {
  const of = pendingQuery(whose);
  const query = useInfiniteQuery(of);
  const pending = useMemo(() => (query.data ? pendingOf(query.data) : undefined), [query.data]);
  const [patience, setPatience] = useState(PAGES_UNASKED);
  const pages = query.data?.pages.length ?? 0;
  const { hasNextPage: more, isFetching } = query;
  const next = () => void settled(of.queryKey).then(() => query.fetchNextPage());
  const unasked = more && !query.isError && pending?.length === 0 && pages < patience;
  useEffect(() => { if (unasked && !isFetching) next(); }, [unasked, isFetching]);
  const older = () => {
    setPatience(pages + PAGES_UNASKED);
    next();
  };
  return { query, pending, looking: query.isPending || unasked, older };
}

interface Shown { approval: string | undefined; onApproval: (id: string | undefined) => void }

export function Inbox({ whose, onWhose, ...shown }: Shown & { whose: Whose; onWhose: (whose: Whose) => void }) {
  const inbox = usePending(whose);
  const { query, pending = [] } = inbox;
  useTitle(pending.length > 0 ? `(${pending.length}${query.hasNextPage ? '+' : ''}) Inbox` : 'Inbox');
  useKeys([{ keys: '/', says: 'Whose inbox', run: () => document.getElementById('filter-whose')?.focus() }]);
  return (
    <div className={shown.approval === undefined ? 'screen inbox' : 'screen inbox chosen'}>
      <div className="title"><h1>Inbox</h1><span className="note" role="status">{!inbox.looking && query.isSuccess && (pending.length > 0 ? `${pending.length.toLocaleString('en')} waiting${query.hasNextPage ? ', and more' : ''}` : 'nothing waits')}</span></div>
      <WhoseFilter whose={whose} onWhose={onWhose} />
      <QueryState of={query} />
      <Asked key={JSON.stringify(whose)} inbox={inbox} nothing={nothingWords(whose)} {...shown} />
    </div>
  );
}

function Asked({ inbox: { query, pending, looking, older }, nothing, approval, onApproval }: Shown & { inbox: ReturnType<typeof usePending>; nothing: string }) {
  const now = useNow(1000);
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
  return (
    <div className="inbox-columns">
      <div className="inbox-list">
        <ul aria-label="Runs that ask" aria-busy={looking}>
          {groups.map((group) => (
            <GroupRow key={group.run} group={group} chosen={group === chosen} now={now} onChoose={() => onApproval((waitingIn(group)[0] ?? group.rows[0]!).id)} />
          ))}
        </ul>
        {query.isSuccess && !looking && groups.length === 0 && <p className="empty">{query.hasNextPage ? 'Nothing among the newest.' : nothing}</p>}
        {query.hasNextPage && !looking && <button className="button quiet" disabled={query.isFetchingNextPage} onClick={older}>Older ones</button>}
      </div>
      <div className="inbox-detail">
        {approval !== undefined && <button className="button small back" onClick={() => onApproval(undefined)}>All that wait</button>}
        <QueryState of={linked} />
        {chosen && <Batch key={chosen.run} group={chosen} approval={at} />}
      </div>
    </div>
  );
}
