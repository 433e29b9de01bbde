// Conversations, by their newest turns.

import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import { conversationsQuery, followConversations } from '../../api/chat';
import { settled } from '../../api/queries';
import { lineOf } from '../../model/chat';
import { standingOf } from '../../model/standing';
import { Chip, RUN_WORDS } from '../../ui/chip';
import { QueryState } from '../../ui/query_state';
import { Ago } from '../../ui/when';

export function Talks({ chosen }: { chosen: string | undefined }) {
  const query = useInfiniteQuery(conversationsQuery);
  useEffect(followConversations, []);
  const talks = query.data?.pages.flatMap((page) => page.conversations) ?? [];
  return (
    <nav className="talks" aria-label="Conversations">
      <h2>Conversations</h2>
      <ul aria-busy={query.isPending}>
        {talks.map((talk) => {
          const { status, open } = standingOf(talk.newest);
          return (
            <li key={talk.id}>
              <Link to="/chat/$conversation" params={{ conversation: talk.id }} data-talk={talk.id} aria-current={talk.id === chosen ? 'page' : undefined}>
                <strong title={talk.newest.agent}>{talk.newest.agent}</strong>
                <Ago at={talk.newest.created_at} />
                <span className="talk-line">{lineOf(talk.newest)}</span>
                {(open || status !== 'completed') && <Chip status={status} words={RUN_WORDS} />}
              </Link>
            </li>
          );
        })}
      </ul>
      <QueryState of={query} />
      {query.isSuccess && talks.length === 0 && <p className="empty">No conversations yet.</p>}
      {query.hasNextPage && <button className="button quiet small" disabled={query.isFetchingNextPage} onClick={() => void settled(conversationsQuery.queryKey).then(() => query.fetchNextPage())}>Older ones</button>}
    </nav>
  );
}
