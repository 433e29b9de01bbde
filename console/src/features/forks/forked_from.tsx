// Behind the input of a fork: where it goes on from, and what was said there, which is no input of its own.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { firstBehindQuery } from '../../api/forks';
import { messageOf } from '../../model/run_diff';
import { QueryState } from '../../ui/query_state';

// `begun`: its first step, behind which the message is there.
export function ForkedFrom({ id, from, begun }: { id: string; from: Schemas['ForkedFrom']; begun: boolean }) {
  const said = useQuery({ ...firstBehindQuery(from.run, id), enabled: begun && from.edit === 'message' });
  const first = said.data === undefined ? undefined : messageOf(said.data);
  return (
    <>
      <p className="note line"><span>goes on from <Link to="/runs/$id" params={{ id: from.run }}>{from.run}</Link> behind message {from.at.message}; what stands before is there</span></p>
      {from.edit === 'message' && <QueryState of={said} />}
      {first?.role === 'user' && <article className="say user" aria-label="Said behind it"><p className="prose plain">{first.text}</p></article>}
    </>
  );
}
