// What groups of identity providers mean here: roles and teams of whoever is in them, from the next sign-in on.

import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { providersQuery } from '../../api/session';
import { deleteGroup, groupsQuery, identityChanged, setGroup, type Group } from '../../api/settings';
import { ApiProblem, wordsOf } from '../../model/problem';
import { rolesWords, saidRoles, teamsOf, type Roles } from '../../model/roles';
import { announce } from '../../ui/announce';
import { Dialog } from '../../ui/dialog';
import { QueryState } from '../../ui/query_state';
import { Ago } from '../../ui/when';
import { RolesFields } from './roles_fields';

// `of`: the one that is changed.
function Meaning({ of, onClose }: { of: Group | undefined; onClose: () => void }) {
  const providers = useQuery(providersQuery);
  const [roles, setRoles] = useState<Roles>(of && Object.keys(of.roles).length > 0 ? (of.roles as Roles) : { default: of ? [] : ['reader'] });
  const set = useMutation({
    mutationFn: ({ provider, group, teams }: { provider: string; group: string; teams: string }) => setGroup({ provider, group, roles: saidRoles(roles), teams: teamsOf(teams) }),
    onSuccess: (made) => {
      announce(`${made.group} means ${rolesWords(made.roles as Roles)}`);
      onClose();
    },
    onSettled: identityChanged,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    set.mutate({ provider: of?.provider ?? String(form.get('provider') ?? ''), group: of?.group ?? String(form.get('group') ?? '').trim(), teams: String(form.get('teams') ?? '') });
  };
  const label = of ? `Change what ${of.group} means` : 'Give a group a meaning';
  return (
    <Dialog label={label} onClose={onClose}>
      <form className="dialog-form" onSubmit={submit}>
        <h2>{label}</h2>
        <p className="note">It counts when its people sign in the next time. Who is in several groups has the roles of all of them.</p>
        {!of && (
          <>
            <label>Identity provider<select name="provider" required>{providers.data?.map((one) => <option key={one.name} value={one.name}>{one.label || one.name}</option>)}</select></label>
            <label>Group, as the provider calls it<input name="group" required maxLength={200} autoComplete="off" autoCapitalize="none" spellCheck={false} /></label>
          </>
        )}
        <RolesFields roles={roles} onRoles={setRoles} />
        <label>Teams, with commas between them<input name="teams" maxLength={1000} autoComplete="off" autoCapitalize="none" spellCheck={false} defaultValue={of?.teams.join(', ') ?? ''} /></label>
        {set.isError && <p className="problem" role="alert">{wordsOf(set.error)}</p>}
        <p className="buttons"><button className="button primary" type="submit" disabled={set.isPending}>Save</button><button className="button quiet" type="button" onClick={onClose}>Close</button></p>
      </form>
    </Dialog>
  );
}

function Delete({ of, onClose }: { of: Group; onClose: () => void }) {
  const gone = useMutation({
    mutationFn: () => deleteGroup(of),
    onSuccess: () => {
      announce(`${of.group} means nothing any more`);
      onClose();
    },
    onSettled: identityChanged,
  });
  return (
    <Dialog label={`Delete what ${of.group} means`} onClose={onClose}>
      <h2>Let {of.group} mean nothing?</h2>
      <p>Who is in no other group that means something does not get in at the next sign-in. Sessions that are open go on: end them under Sessions.</p>
      {gone.isError && <p className="problem" role="alert">{wordsOf(gone.error)}</p>}
      <p className="buttons"><button className="button danger" disabled={gone.isPending} onClick={() => gone.mutate()}>Delete</button><button className="button quiet" onClick={onClose}>Close</button></p>
    </Dialog>
  );
}

export function Groups({ admin }: { admin: boolean }) {
  const query = useQuery(groupsQuery);
  const [over, setOver] = useState<{ what: 'set'; of?: Group } | { what: 'delete'; of: Group } | null>(null);
  const close = () => setOver(null);
  const none = query.error instanceof ApiProblem && query.error.code === 'no_identity_provider';
  return (
    <section aria-label="Groups">
      <div className="title"><h2>Groups of identity providers</h2>{admin && query.isSuccess && <button className="button primary small" onClick={() => setOver({ what: 'set' })}>Give a group a meaning</button>}</div>
      {none ? <p className="empty">{wordsOf(query.error)}</p> : <QueryState of={query} />}
      <ul className="identities" aria-label="Groups" aria-busy={query.isPending}>
        {query.data?.map((of) => (
          <li key={`${of.provider} ${of.group}`} data-group={of.group}>
            <strong>{of.group}</strong>
            <span className="note">at {of.provider}</span>
            <span className="state">{rolesWords(of.roles as Roles)}{of.teams.length > 0 && `; in ${of.teams.length === 1 ? 'team' : 'teams'} ${of.teams.join(', ')}`}</span>
            <span className="note">set <Ago at={of.set_at} /> by {of.set_by}</span>
            <span className="doing">
              {admin && <button className="button small" onClick={() => setOver({ what: 'set', of })} aria-label={`Change ${of.group}`}>Change</button>}
              {admin && <button className="button small quiet" onClick={() => setOver({ what: 'delete', of })} aria-label={`Delete ${of.group}`}>Delete</button>}
            </span>
          </li>
        ))}
      </ul>
      {query.isSuccess && query.data.length === 0 && <p className="empty">No group means anything yet, so nobody gets in by an identity provider.</p>}
      {over?.what === 'set' && <Meaning of={over.of} onClose={close} />}
      {over?.what === 'delete' && <Delete of={over.of} onClose={close} />}
    </section>
  );
}
