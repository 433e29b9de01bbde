// Who may use the server: people and services, their keys, groups of elsewhere, who is signed in; named secrets; and
// which of their tools agents may use.

import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef, useState, type FormEvent } from 'react';
import { sessionQuery, signOut, type Known } from '../../api/session';
import { changeOwnPassword } from '../../api/settings';
import { wordsOf } from '../../model/problem';
import { hasRole, isAdminOfAll, rolesWords } from '../../model/roles';
import { announce } from '../../ui/announce';
import { Dialog } from '../../ui/dialog';
import { useTitle } from '../../ui/use_title';
import { Groups } from './groups';
import { Keys } from './keys';
import { People } from './people';
import { Secrets } from './secrets';
import { Sessions } from './sessions';
import './settings.css';

const Grants = lazy(() => import('./grants').then(({ Grants: view }) => ({ default: view })));

export type SettingsPart = 'people' | 'groups' | 'keys' | 'sessions' | 'secrets' | 'grants';
const PARTS: readonly [SettingsPart, string][] = [['people', 'People'], ['groups', 'Groups'], ['keys', 'API keys'], ['sessions', 'Sessions'], ['secrets', 'Secrets'], ['grants', 'Tool grants']];

function OwnPassword({ onClose }: { onClose: () => void }) {
  const change = useMutation({
    mutationFn: ({ old, fresh }: { old: string; fresh: string }) => changeOwnPassword(old, fresh),
    onSuccess: () => {
      announce('the password was changed');
      onClose();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    change.mutate({ old: String(form.get('old') ?? ''), fresh: String(form.get('fresh') ?? '') });
  };
  return (
    <Dialog label="Change the password" onClose={onClose}>
      <form className="dialog-form" onSubmit={submit}>
        <h2>Change the password</h2>
        <p className="note">All other sessions of yours end.</p>
        <label>The one so far<input name="old" type="password" required autoComplete="current-password" /></label>
        <label>The new one, at least 10 characters<input name="fresh" type="password" required minLength={10} autoComplete="new-password" /></label>
        {change.isError && <p className="problem" role="alert">{wordsOf(change.error)}</p>}
        <p className="buttons"><button className="button primary" type="submit" disabled={change.isPending}>Change</button><button className="button quiet" type="button" onClick={onClose}>Close</button></p>
      </form>
    </Dialog>
  );
}

function Yourself({ who }: { who: Known }) {
  const [changing, setChanging] = useState(false);
  return (
    <section className="yourself" aria-label="You">
      {who.known
        ? <p>You are <strong>{who.name}</strong>: {rolesWords(who.roles)}.</p>
        : <p>This server is open: whoever is on its machine may do everything. The first admin closes it to all who have no credential.</p>}
      {who.session && <button className="button small" onClick={() => setChanging(true)}>Change the password</button>}
      {who.session && <button className="button small quiet" onClick={() => void signOut().finally(() => location.reload())}>Sign out</button>}
      {changing && <OwnPassword onClose={() => setChanging(false)} />}
    </section>
  );
}

export function Settings({ part }: { part: SettingsPart | undefined }) {
  useTitle('Settings');
  const { data: who } = useQuery(sessionQuery);
  const parts = useRef<HTMLElement>(null);
  // Where the bar has no room for all, the part that is shown is in view.
  useEffect(() => { parts.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }); }, [part, who === undefined]);
  if (!who) return null;
  const admin = isAdminOfAll(who.roles);
  const shown = part ?? (admin ? 'people' : 'keys');
  return (
    <div className="screen settings">
      <div className="title"><h1>Settings</h1></div>
      <Yourself who={who} />
      <nav ref={parts} className="parts" aria-label="Settings">
        {PARTS.map(([one, words]) => <Link key={one} to="/settings" search={{ part: one }} replace aria-current={one === shown ? 'page' : undefined}>{words}</Link>)}
        {admin && <Link to="/record">The record</Link>}
      </nav>
      {shown === 'people' && <People admin={admin} self={who.known ? who.name : ''} open={who.open} />}
      {shown === 'keys' && <Keys admin={admin} self={who.known ? who.name : ''} />}
      {shown === 'groups' && <Groups admin={admin} />}
      {shown === 'sessions' && <Sessions />}
      {shown === 'secrets' && <Secrets admin={hasRole(who.roles, 'admin')} />}
      {shown === 'grants' && <Suspense fallback={null}><Grants admin={hasRole(who.roles, 'admin')} /></Suspense>}
    </div>
  );
}
