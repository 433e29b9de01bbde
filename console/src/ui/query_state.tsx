// How a screen stands with what it asked the server for: it waits, or what went wrong, what to do, and once more.

import { isPassing, wordsOf } from '../model/problem';

interface Asked { isPending: boolean; isError: boolean; error: unknown; failureCount: number; fetchStatus: string; refetch: () => unknown }

export function QueryState({ of, loading = 'Loading.' }: { of: Asked; loading?: string }) {
  if (of.isError) {
    return <p className="problem" role="alert">{wordsOf(of.error)}{isPassing(of.error) && <button type="button" className="button small" disabled={of.fetchStatus === 'fetching'} onClick={() => void of.refetch()}>Ask again</button>}</p>;
  }
  // One that was not asked yet waits for nothing.
  if (!of.isPending || of.fetchStatus === 'idle') return null;
  return <p className="note loading" role="status">{of.failureCount > 0 ? 'The server did not answer; it is asked again.' : loading}</p>;
}
