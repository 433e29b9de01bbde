// Talking with an agent: turns on one conversation, each a run. The address is the conversation; whoever comes back, or
// opens it on another device, sees all of it and what happens next.

import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { conversationQuery, followConversation, sentQuery } from '../../api/chat';
import { runQuery, settled } from '../../api/queries';
import { turnsOf, watchedOf } from '../../model/chat';
import { QueryState } from '../../ui/query_state';
import { useTitle } from '../../ui/use_title';
import { useRunLog } from '../use_live';
import { TalkComposer } from './talk_composer';
import { Talks } from './talks';
import { TurnView } from './turn';
import '../run/run.css';
import './chat.css';

export function NewChat() {
  const navigate = useNavigate();
  useTitle('Chat');
  const [conversation] = useState(() => crypto.randomUUID());
  return (
    <div className="screen chat">
      <Talks chosen={undefined} />
      <div className="talk">
        <h1>New conversation</h1>
        <TalkComposer conversation={conversation} draft="new" agent={undefined} open={undefined} onSaid={() => void navigate({ to: '/chat/$conversation', params: { conversation } })} />
      </div>
    </div>
  );
}

const NEAR_END = 160; // pixels: who is that near reads along

// Who reads the end goes on reading the end; who reads elsewhere is left there.
function useFollow() {
  const talk = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let following = true;
    const page = document.scrollingElement!;
    const toEnd = () => { if (following) page.scrollTop = page.scrollHeight; };
    const look = () => { following = page.scrollHeight - page.scrollTop - innerHeight < NEAR_END; };
    const grown = new ResizeObserver(toEnd);
    grown.observe(talk.current!);
    addEventListener('scroll', look, { passive: true });
    return () => {
      grown.disconnect();
      removeEventListener('scroll', look);
    };
  }, []);
  return talk;
}

export function Chat({ id }: { id: string }) {
  const query = useInfiniteQuery(conversationQuery(id));
  const { data: sent } = useQuery(sentQuery(id));
  useEffect(() => followConversation(id), [id]);
  // The run that a conversation was named after is its first turn, and not in its list.
  const named = useQuery({ ...runQuery(id), enabled: query.isSuccess && !query.hasNextPage });
  const listed = query.data?.pages.flatMap((page) => page.runs) ?? [];
  const turns = turnsOf(listed, sent, named.data && named.data.conversation === id ? id : undefined);
  const watched = watchedOf(turns);
  const last = turns.at(-1);
  const open = turns.find((turn) => turn.waits)?.run;
  const [log] = useRunLog(open);
  const { data: lastRun } = useQuery({ ...runQuery(last?.run ?? ''), enabled: last !== undefined });
  const talk = useFollow();
  useTitle(lastRun ? `${lastRun.agent} \u00B7 Chat` : 'Chat');
  return (
    <div className="screen chat one">
      <Talks chosen={id} />
      <div className="talk" ref={talk}>
        <div className="title"><Link className="button small back" to="/chat">All conversations</Link><h1>{lastRun?.agent ?? 'Conversation'}</h1><Link className="button small begin" to="/chat">New conversation</Link></div>
        <QueryState of={query} />
        <div className="turns" role="region" aria-label="Conversation" aria-busy={query.isPending}>
          {query.hasNextPage && <button className="button quiet" disabled={query.isFetchingNextPage} onClick={() => void settled(conversationQuery(id).queryKey).then(() => query.fetchNextPage())}>Turns before these</button>}
          {turns.map((turn) => <TurnView key={turn.run} turn={turn} watched={watched.has(turn.run)} />)}
          {query.isSuccess && turns.length === 0 && !named.isLoading && <p className="empty">Nothing was said here yet.</p>}
        </div>
        <TalkComposer conversation={id} draft={id} agent={lastRun?.agent} open={log.closed ? undefined : open} />
      </div>
    </div>
  );
}
