// Hands one decision to somebody who has no account: a link is made, shown this once, and can be revoked.

import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { linksChanged, linksQuery, makeLink, revokeLink, type DecisionLink } from '../../api/links';
import { wordsOf } from '../../model/problem';
import { announce } from '../../ui/announce';
import { Copy } from '../../ui/copy';
import { QueryState } from '../../ui/query_state';
import { Ago, Moment } from '../../ui/when';
import './links.css';

const LASTS: readonly [string, string][] = [['1h', 'an hour'], ['12h', '12 hours'], ['1d', 'a day'], ['7d', 'a week']];

function Made({ of }: { of: DecisionLink }) {
  return (
    <div className="link-made">
      <p>The link for {of.for}. It is shown this once; whoever has it decides as {of.for}.</p>
      <p className="another"><input className="secret" readOnly aria-label="Link" value={of.url ?? ''} onFocus={(event) => event.target.select()} /><Copy text={of.url ?? ''} /></p>
    </div>
  );
}

function Row({ of }: { of: DecisionLink }) {
  const revoke = useMutation({ mutationFn: () => revokeLink(of.approval, of.id), onSuccess: () => announce('the link opens nothing any more'), onSettled: () => linksChanged(of.approval) });
  const ended = of.used_at ?? of.revoked_at;
  return (
    <li data-link={of.id}>
      <span><strong>{of.for}</strong> <span className="note">{of.state}, {ended ? <Ago at={ended} /> : <>{of.state === 'open' && 'until '}<Moment at={of.expires_at} /></>}{of.created_by && `; made by ${of.created_by}`}</span></span>
      {of.state === 'open' && <button className="button small quiet" type="button" disabled={revoke.isPending} aria-label={`Revoke the link for ${of.for}`} onClick={() => revoke.mutate()}>Revoke</button>}
      {revoke.isError && <p className="problem" role="alert">{wordsOf(revoke.error)}</p>}
    </li>
  );
}

function All({ approval, people }: { approval: string; people: readonly string[] }) {
  const query = useQuery(linksQuery(approval));
  const [recipient, setRecipient] = useState('');
  const [lasts, setLasts] = useState('7d');
  const make = useMutation({
    mutationFn: () => makeLink(approval, recipient.trim(), lasts),
    gcTime: 0,
    onSuccess: (made) => {
      setRecipient('');
      announce(`a link for ${made.for} was made`);
    },
    onSettled: () => linksChanged(approval),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  const id = `link-${approval}`;
  return (
    <>
      <form className="link-form" onSubmit={submit}>
        <label htmlFor={`${id}-for`}>For</label>
        <input id={`${id}-for`} required maxLength={200} autoComplete="off" autoCapitalize="none" spellCheck={false} placeholder="whose decision it is" list={`${id}-people`} value={recipient} onChange={(event) => setRecipient(event.target.value)} />
        <datalist id={`${id}-people`}>{people.map((one) => <option key={one} value={one} />)}</datalist>
        <label htmlFor={`${id}-lasts`}>Good for</label>
        <select id={`${id}-lasts`} value={lasts} onChange={(event) => setLasts(event.target.value)}>{LASTS.map(([value, words]) => <option key={value} value={value}>{words}</option>)}</select>
        <button className="button small" type="submit" disabled={make.isPending}>Make a link</button>
      </form>
      <p className="note">Once, without an account, and no longer than what it asks. The record says link:NAME.</p>
      {make.isError && <p className="problem" role="alert">{wordsOf(make.error)}</p>}
      {make.data && <Made of={make.data} />}
      <QueryState of={query} />
      {query.isSuccess && query.data.length === 0 && !make.data && <p className="note">There is no link yet.</p>}
      <ul className="links" aria-label="Links">{query.data?.map((of) => <Row key={of.id} of={of} />)}</ul>
    </>
  );
}

export function Links({ approval, people }: { approval: string; people: readonly string[] }) {
  const [open, setOpen] = useState(false);
  return (
    <details className="result links-fold" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Let somebody else decide by a link</summary>
      {open && <All approval={approval} people={people} />}
    </details>
  );
}
