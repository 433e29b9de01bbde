// What stands in place of every screen when the server wants to know who asks; and who that is, in the bar.

import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { beginSignIn, providersQuery, sessionQuery, setUp, signIn, signOut } from '../../api/session';
import { wordsOf } from '../../model/problem';
import { QueryState } from '../../ui/query_state';
import { useTitle } from '../../ui/use_title';

function Providers({ onWrong }: { onWrong: (error: unknown) => void }) {
  const { data } = useQuery(providersQuery);
  if (!data?.length) return null;
  const go = (provider: string) =>
    void beginSignIn(provider, location.pathname + location.search).then((url) => location.assign(url)).catch(onWrong);
  return <p className="providers">{data.map(({ name, label }) => <button key={name} type="button" className="button" onClick={() => go(name)}>Sign in with {label}</button>)}</p>;
}

function SignIn() {
  useTitle('Sign in');
  const [first, setFirst] = useState(false);
  const [wrong, setWrong] = useState('');
  const [busy, setBusy] = useState(false);
  const refused = (error: unknown) => { setWrong(wordsOf(error)); setBusy(false); };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const said = (name: string) => String(form.get(name) ?? '');
    setBusy(true);
    (first ? setUp(said('token'), said('name'), said('password')) : signIn(said('name'), said('password')))
      .then(() => location.reload()) // everything that was asked before was refused
      .catch(refused);
  };
  return (
    <main id="main" className="sign-in">
      <h1>{first ? 'The first admin' : 'Sign in'}</h1>
      <form onSubmit={submit}>
        {first && <label>Token, as the server printed it at its start<input name="token" required autoComplete="off" /></label>}
        <label>Name<input name="name" required autoComplete="username" autoCapitalize="none" spellCheck={false} /></label>
        <label>Password<input name="password" type="password" required autoComplete={first ? 'new-password' : 'current-password'} /></label>
        {wrong && <p className="problem" role="alert">{wrong}</p>}
        <button className="button primary" disabled={busy}>{first ? 'Make it, and sign in' : 'Sign in'}</button>
      </form>
      {!first && <Providers onWrong={refused} />}
      <p><button className="button small quiet" onClick={() => { setFirst(!first); setWrong(''); }}>{first ? 'Sign in' : 'The server has no admin yet'}</button></p>
    </main>
  );
}

export function SignedIn({ children }: { children: ReactNode }) {
  const query = useQuery(sessionQuery);
  if (query.data === null) return <SignIn />;
  // The screens say of themselves what they lack; without an answer to this one nobody could say what is wrong.
  return query.isError && query.data === undefined ? <main className="sign-in"><QueryState of={query} /></main> : children;
}

export function Me() {
  const { data } = useQuery(sessionQuery);
  if (!data?.session) return null;
  return <button className="button small quiet me" onClick={() => void signOut().finally(() => location.reload())}>Sign out {data.name}</button>;
}
