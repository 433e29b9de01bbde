// API keys: their secrets are shown once, when they are made.

import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { createKey, identityChanged, keysQuery, revokeKey, rotateKey, usersQuery, type Credential, type NewKey } from '../../api/settings';
import { wordsOf } from '../../model/problem';
import { saidRoles, type Roles } from '../../model/roles';
import { announce } from '../../ui/announce';
import { Copy } from '../../ui/copy';
import { Dialog } from '../../ui/dialog';
import { QueryState } from '../../ui/query_state';
import { CredentialRow, useEnded } from './credential_row';
import { RolesFields } from './roles_fields';

const DAY = 86_400;
const LASTS: readonly [string, number][] = [['90 days', 90 * DAY], ['30 days', 30 * DAY], ['a year', 365 * DAY], ['until it is revoked', 0]];
const GRACES: readonly [string, number][] = [['at once', 0], ['in an hour', 3600], ['in a day', DAY], ['in a week', 7 * DAY]];

interface Made { id: string; principal: string; key: string }

function Secret({ made, onClose }: { made: Made; onClose: () => void }) {
  return (
    <Dialog label="The new key" onClose={onClose}>
      <h2>The new key of {made.principal}</h2>
      <p>It is shown this once: the server has only its hash.</p>
      <p className="another"><input className="secret" readOnly aria-label="Key" value={made.key} onFocus={(event) => event.target.select()} /><Copy text={made.key} /></p>
      <p className="note">Programs send it as a bearer token, or have it in HOLDFAST_API_KEY.</p>
      <p className="buttons"><button className="button primary" onClick={onClose}>It is kept</button></p>
    </Dialog>
  );
}

function Create({ admin, self, onMade, onClose }: { admin: boolean; self: string; onMade: (made: Made) => void; onClose: () => void }) {
  const users = useQuery({ ...usersQuery, enabled: admin });
  const [principal, setPrincipal] = useState(admin ? '' : self);
  const [roles, setRoles] = useState<Roles>({ default: ['operator'] });
  const fresh = admin && users.isSuccess && principal.trim() !== '' && !users.data.some((one) => one.name === principal.trim());
  const create = useMutation({ mutationFn: (wanted: NewKey) => createKey(wanted), onSuccess: onMade, onSettled: identityChanged });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    create.mutate({ principal: principal.trim(), label: String(form.get('label') ?? ''), expiresIn: Number(form.get('lasts')), roles: fresh ? saidRoles(roles) : undefined });
  };
  return (
    <Dialog label="Create a key" onClose={onClose}>
      <form className="dialog-form" onSubmit={submit}>
        <h2>Create a key</h2>
        <label>Of whom<input name="principal" required maxLength={100} readOnly={!admin} list="principals" autoComplete="off" autoCapitalize="none" spellCheck={false} value={principal} onChange={(event) => setPrincipal(event.target.value)} /></label>
        <datalist id="principals">{users.data?.map((one) => <option key={one.name} value={one.name} />)}</datalist>
        <p className="note" role="status">{fresh ? 'A new service of that name is made.' : 'It may do what they may.'}</p>
        {fresh && <RolesFields roles={roles} onRoles={setRoles} />}
        <label>What for<input name="label" maxLength={200} autoComplete="off" placeholder="payments cluster" /></label>
        <label>Holds <select name="lasts">{LASTS.map(([words, seconds]) => <option key={seconds} value={seconds}>{words}</option>)}</select></label>
        {create.isError && <p className="problem" role="alert">{wordsOf(create.error)}</p>}
        <p className="buttons"><button className="button primary" type="submit" disabled={create.isPending}>Create</button><button className="button quiet" type="button" onClick={onClose}>Close</button></p>
      </form>
    </Dialog>
  );
}

function Rotate({ of, onMade, onClose }: { of: Credential; onMade: (made: Made) => void; onClose: () => void }) {
  const rotate = useMutation({ mutationFn: (grace: number) => rotateKey(of.id, grace), onSuccess: onMade, onSettled: identityChanged });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    rotate.mutate(Number(new FormData(event.currentTarget).get('grace')));
  };
  return (
    <Dialog label="Rotate a key" onClose={onClose}>
      <form className="dialog-form" onSubmit={submit}>
        <h2>Another key instead of {of.label || of.id}</h2>
        <label>The old one ends <select name="grace" defaultValue={3600}>{GRACES.map(([words, seconds]) => <option key={seconds} value={seconds}>{words}</option>)}</select></label>
        {rotate.isError && <p className="problem" role="alert">{wordsOf(rotate.error)}</p>}
        <p className="buttons"><button className="button primary" type="submit" disabled={rotate.isPending}>Rotate</button><button className="button quiet" type="button" onClick={onClose}>Close</button></p>
      </form>
    </Dialog>
  );
}

function Revoke({ of, onClose }: { of: Credential; onClose: () => void }) {
  const revoke = useMutation({
    mutationFn: () => revokeKey(of.id),
    onSuccess: () => {
      announce('the key opens nothing any more');
      onClose();
    },
    onSettled: identityChanged,
  });
  return (
    <Dialog label="Revoke a key" onClose={onClose}>
      <h2>Revoke {of.label || of.id}?</h2>
      <p>It is {of.principal}{'\u2019'}s, and opens nothing from now on. That is for good.</p>
      {revoke.isError && <p className="problem" role="alert">{wordsOf(revoke.error)}</p>}
      <p className="buttons"><button className="button danger" disabled={revoke.isPending} onClick={() => revoke.mutate()}>Revoke</button><button className="button quiet" onClick={onClose}>Close</button></p>
    </Dialog>
  );
}

export function Keys({ admin, self }: { admin: boolean; self: string }) {
  const query = useQuery(keysQuery);
  const [rows, toggle] = useEnded(query.data);
  const [over, setOver] = useState<{ what: 'create' } | { what: 'rotate' | 'revoke'; of: Credential } | { what: 'made'; made: Made } | null>(null);
  const close = () => setOver(null);
  const onMade = (made: Made) => setOver({ what: 'made', made });
  return (
    <section aria-label="API keys">
      <div className="title"><h2>API keys</h2><button className="button primary small" disabled={!admin && self === ''} onClick={() => setOver({ what: 'create' })}>Create a key</button></div>
      {toggle}
      <QueryState of={query} />
      <ul className="identities" aria-label="API keys" aria-busy={query.isPending}>
        {rows.map((of) => (
          <CredentialRow key={of.id} of={of}>
            <button className="button small" onClick={() => setOver({ what: 'rotate', of })} aria-label={`Rotate ${of.label || of.id}`}>Rotate</button>
            <button className="button small quiet" onClick={() => setOver({ what: 'revoke', of })} aria-label={`Revoke ${of.label || of.id}`}>Revoke</button>
          </CredentialRow>
        ))}
      </ul>
      {query.isSuccess && rows.length === 0 && <p className="empty">No key opens this server.</p>}
      {over?.what === 'create' && <Create admin={admin} self={self} onMade={onMade} onClose={close} />}
      {over?.what === 'rotate' && <Rotate of={over.of} onMade={onMade} onClose={close} />}
      {over?.what === 'revoke' && <Revoke of={over.of} onClose={close} />}
      {over?.what === 'made' && <Secret made={over.made} onClose={close} />}
    </section>
  );
}
