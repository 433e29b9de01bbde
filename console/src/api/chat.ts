// Conversations: their turns, what was said in a turn that is over, and saying something.

import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { RunEvent } from '../model/events';
import { RunLog, type Item } from '../model/run_log';
import { ApiProblem, answered, api, type Schemas } from './client';
import { live } from './live';
import { paced, queryClient, refreshPages } from './queries';
import { author } from './session';

interface Page { runs: { run?: string; came_at?: string; in_line?: boolean }[]; next_cursor: string | null }
const PAGE = 20;

export const conversationQuery = (id: string) => infiniteQueryOptions({
  queryKey: ['conversation', id],
  queryFn: async ({ pageParam }): Promise<Page> => {
    try {
      return await answered(api.GET('/api/v1/conversations/{id}', { params: { path: { id }, query: { limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) } } }));
    } catch (error) {
      // Nobody has said anything yet.
      if (error instanceof ApiProblem && error.status === 404) return { runs: [], next_cursor: null };
      throw error;
    }
  },
  initialPageParam: '',
  getNextPageParam: (page: Page) => page.next_cursor,
});

export type Conversation = Schemas['ConversationSummary'];
interface Conversations { conversations: Conversation[]; next_cursor: string | null }

export const conversationsQuery = infiniteQueryOptions({
  queryKey: ['conversations'],
  queryFn: ({ pageParam }): Promise<Conversations> => answered(api.GET('/api/v1/conversations', { params: { query: { limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) } } })),
  initialPageParam: '',
  getNextPageParam: (page: Conversations) => page.next_cursor,
});

// Keeps the list of them current while it is looked at: what is older than its first page comes again more seldom than
// news. The answer ends it.
export const followConversations = (): (() => void) => live.onNews(paced(() => void refreshPages(conversationsQuery.queryKey), 1000));

// Keeps a conversation's turns current: others write to it, too. The answer ends it.
export function followConversation(id: string): () => void {
  const soon = paced(() => void refreshPages(['conversation', id]), 500);
  return live.onNews((event) => { if (event === null || event.run.startsWith('$')) soon(); });
}

export interface Told { items: Item[]; closed: string; cut: boolean }
const isAll = (told: Told): boolean => told.closed !== '' || told.cut || told.items.length === 0;
const LOG_PAGE = 1000;
const LOG_PAGES = 5; // of a longer turn the run has the rest

// The log of a turn that is over, folded as the one of a turn that is not.
export const toldQuery = (run: string) => queryOptions({
  queryKey: ['told', run],
  // The last word of a log comes when the engine has it, behind the end of the turn.
  staleTime: ({ state }) => (state.data && isAll(state.data) ? Infinity : 0),
  refetchInterval: ({ state }) => (state.data && !isAll(state.data) ? 2000 : false),
  queryFn: async (): Promise<Told> => {
    const log = new RunLog(run);
    let cursor: string | undefined;
    for (let i = 0; i < LOG_PAGES; i++) {
      const query = { limit: LOG_PAGE, ...(cursor ? { cursor } : {}) };
      const page = (await answered(api.GET('/api/v1/runs/{id}/events', { params: { path: { id: run }, query } }))) as { events: RunEvent[]; cursor: string };
      for (const event of page.events) log.apply(event);
      if (page.events.length < LOG_PAGE) return { items: log.items, closed: log.closed, cut: false };
      cursor = page.cursor;
    }
    return { items: log.items, closed: log.closed, cut: true };
  },
});

export interface Sent { run: string; text: string }

// What was sent from here: it is shown before the server lists it.
export const sentQuery = (conversation: string) => queryOptions({
  queryKey: ['sent', conversation], queryFn: () => queryClient.getQueryData<Sent[]>(['sent', conversation]) ?? [], initialData: [] as Sent[], staleTime: Infinity, gcTime: Infinity,
});

export interface Saying { conversation: string; agent: string; text: string; id: string; into: string | undefined }

// Into the run whose turn it is, or as the next turn. Sent twice with one id it is one message.
export async function say({ conversation, agent, text, id, into }: Saying): Promise<void> {
  if (into !== undefined) {
    try {
      await answered(api.POST('/api/v1/runs/{id}/messages', { params: { path: { id: into } }, body: { input: text, id, by: author() } }));
      return;
    } catch (error) {
      // It ended meanwhile: what was meant for it begins the next turn.
      if (!(error instanceof ApiProblem && (error.code === 'run_closed' || error.code === 'run_ending'))) throw error;
    }
  }
  const run = await answered(api.POST('/api/v1/runs', { body: { agent, input: text, conversation, id } }));
  queryClient.setQueryData<Sent[]>(['sent', conversation], (sent = []) => [...sent.filter((one) => one.run !== run.id), { run: run.id, text }]);
  void refreshPages(['conversation', conversation]);
}

export const stop = (run: string): Promise<unknown> =>
  answered<unknown>(api.POST('/api/v1/runs/{id}/cancel', { params: { path: { id: run } }, body: { reason: 'stopped in the chat' } }));
