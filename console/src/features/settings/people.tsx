// People and services, with their roles.

import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { addUser, changeUser, identityChanged, usersQuery, type Principal, type UserChange } from '../../api/settings';
import { wordsOf } from '../../model/problem';
import { isAdminOfAll, rolesWords, saidRoles, type Roles } from '../../model/roles';
import { announce } from '../../ui/announce';
import { Dialog } from '../../ui/dialog';
import { QueryState } from '../../ui/query_state';
import { Ago } from '../../ui/when';
import { RolesFields } from './roles_fields';

function Add({ open, onClose }: { open: boolean; onClose: () => void }) {
  // Of an open server the first one is its admin, or nobody could let anybody in.
  const [roles, setRoles] = useState<Roles>(open ? { '*': ['admin'] } : { default: ['reader'] });
  const add = useMutation({
    mutationFn: ({ name, password }: { name: string; password: string }) => addUser(name, password, saidRoles(roles)),
    onSuccess: (made) => {
      announce(`${made.name} was added`);
      onClose();
      if (open && isAdminOfAll(roles)) location.reload(); // the server asks for a credential now
    },
    onSettled: identityChanged,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    add.mutate({ name: String(form.get('name') ?? ''), password: String(form.get('password') ?? '') });
  };
  return (
    <Dialog label="Add a person" onClose={onClose}>
      <form className="dialog-form" onSubmit={submit}>
        <h2>Add a person</h2>
        <label>Name<input name="name" required maxLength={100} autoComplete="off" autoCapitalize="none" spellCheck={false} /></label>
        <label>Password, at least 10 characters<input name="password" type="password" required minLength={10} autoComplete="new-password" /></label>
        <RolesFields roles={roles} onRoles={setRoles} />
        {open && isAdminOfAll(roles) && <p className="note" role="status">From then on this server lets in nobody without a credential, and you sign in as this person.</p>}
        {add.isError && <p className="problem" role="alert">{wordsOf(add.error)}</p>}
        <p className="buttons"><button className="button primary" type="submit" disabled={add.isPending}>Add</button><button className="button quiet" type="button" onClick={onClose}>Close</button></p>
      </form>
    </Dialog>
  );
}

function Change({ of, onClose }: { of: Principal; onClose: () => void }) {
  const [roles, setRoles] = useState<Roles>(Object.keys(of.roles).length > 0 ? (of.roles as Roles) : { default: [] });
  const change = useMutation({
    mutationFn: (asked: UserChange) => changeUser(of.name, asked),
    onSuccess: () => {
      announce(`${of.name} was changed`);
      onClose();
    },
    onSettled: identityChanged,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const password = String(new FormData(event.currentTarget).get('password') ?? '');
    change.mutate({ roles: saidRoles(roles), ...(password ? { password } : {}) });
  };
  return (
    <Dialog label={`Change ${of.name}`} onClose={onClose}>
      <form className="dialog-form" onSubmit={submit}>
        <h2>Change {of.name}</h2>
        <RolesFields roles={roles} onRoles={setRoles} />
        {of.kind === 'person' && <label>Another password (left out: the one so far)<input name="password" type="password" minLength={10} autoComplete="new-password" /></label>}
        {change.isError && <p className="problem" role="alert">{wordsOf(change.error)}</p>}
        <p className="buttons"><button className="button primary" type="submit" disabled={change.isPending}>Save</button><button className="button quiet" type="button" onClick={onClose}>Close</button></p>
      </form>
    </Dialog>
  );
}

function Disable({ of, onClose }: { of: Principal; onClose: () => void }) {
  const change = useMutation({
    mutationFn: () => changeUser(of.name, { disabled: true }),
    onSuccess: () => {
      announce(`${of.name} is disabled`);
      onClose();
    },
    onSettled: identityChanged,
  });
  return (
    <Dialog label={`Disable ${of.name}`} onClose={onClose}>
      <h2>Disable {of.name}?</h2>
      <p>Sessions end at once, and keys open nothing until {of.name} is enabled again. Nothing is deleted.</p>
      {change.isError && <p className="problem" role="alert">{wordsOf(change.error)}</p>}
      <p className="buttons"><button className="button danger" disabled={change.isPending} onClick={() => change.mutate()}>Disable</button><button className="button quiet" onClick={onClose}>Close</button></p>
    </Dialog>
  );
}

function Row({ of, self, onChange, onDisable }: { of: Principal; self: string; onChange: () => void; onDisable: () => void }) {
  const enable = useMutation({ mutationFn: () => changeUser(of.name, { disabled: false }), onSuccess: () => announce(`${of.name} is enabled`), onSettled: identityChanged });
  return (
    <li data-principal={of.name}>
      <strong>{of.name}</strong>
      <span className="note">{of.kind}{of.name === self && ', you'}</span>
      <span className={of.disabled ? 'state ended' : 'state'}>{of.disabled ? 'disabled' : rolesWords(of.roles as Roles)}</span>
      <span className="note">added <Ago at={of.created_at} />{of.created_by && ` by ${of.created_by}`}</span>
      {enable.isError && <span className="problem" role="alert">{wordsOf(enable.error)}</span>}
      <span className="doing">
        <button className="button small" onClick={onChange} aria-label={`Change ${of.name}`}>Change</button>
        {of.disabled
          ? <button className="button small" disabled={enable.isPending} onClick={() => enable.mutate()} aria-label={`Enable ${of.name}`}>Enable</button>
          : <button className="button small quiet" onClick={onDisable} aria-label={`Disable ${of.name}`}>Disable</button>}
      </span>
    </li>
  );
}

export function People({ admin, self, open }: { admin: boolean; self: string; open: boolean }) {
  const query = useQuery({ ...usersQuery, enabled: admin });
  const [over, setOver] = useState<{ what: 'add' } | { what: 'change' | 'disable'; of: Principal } | null>(null);
  if (!admin) return <p className="empty">People are for admins of every namespace to see and to change.</p>;
  const close = () => setOver(null);
  return (
    <section aria-label="People">
      <div className="title"><h2>People and services</h2><button className="button primary small" onClick={() => setOver({ what: 'add' })}>Add a person</button></div>
      <QueryState of={query} />
      <ul className="identities" aria-label="People and services" aria-busy={query.isPending}>
        {query.data?.map((of) => <Row key={of.name} of={of} self={self} onChange={() => setOver({ what: 'change', of })} onDisable={() => setOver({ what: 'disable', of })} />)}
      </ul>
      {query.isSuccess && query.data.length === 0 && <p className="empty">Nobody yet. A service comes with its first API key.</p>}
      {over?.what === 'add' && <Add open={open} onClose={close} />}
      {over?.what === 'change' && <Change of={over.of} onClose={close} />}
      {over?.what === 'disable' && <Disable of={over.of} onClose={close} />}
    </section>
  );
}
