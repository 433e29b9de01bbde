// Who is signed in, and where.

import { useMutation, useQuery } from '@tanstack/react-query';
import { endSession, identityChanged, sessionsQuery, type Credential } from '../../api/settings';
import { wordsOf } from '../../model/problem';
import { announce } from '../../ui/announce';
import { QueryState } from '../../ui/query_state';
import { CredentialRow, useEnded } from './credential_row';

function End({ of }: { of: Credential }) {
  const end = useMutation({ mutationFn: () => endSession(of.id), onSuccess: () => announce('the session was ended'), onSettled: identityChanged });
  return (
    <>
      {end.isError && <span className="problem" role="alert">{wordsOf(end.error)}</span>}
      <button className="button small quiet" disabled={end.isPending} onClick={() => end.mutate()} aria-label={`End the session of ${of.principal}, ${of.label}`}>End</button>
    </>
  );
}

export function Sessions() {
  const query = useQuery(sessionsQuery);
  const [rows, toggle] = useEnded(query.data);
  return (
    <section aria-label="Sessions">
      <div className="title"><h2>Who is signed in</h2></div>
      {toggle}
      <QueryState of={query} />
      <ul className="identities" aria-label="Sessions" aria-busy={query.isPending}>
        {rows.map((of) => <CredentialRow key={of.id} of={of}><End of={of} /></CredentialRow>)}
      </ul>
      {query.isSuccess && rows.length === 0 && <p className="empty">Nobody is signed in.</p>}
    </section>
  );
}
