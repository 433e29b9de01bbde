// Which of their tools agents may use: added, and taken back after a question; and what that leaves an agent.

import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { addGrant, grantsChanged, grantsQuery, revokeGrant, type NewGrant, type ToolGrant } from '../../api/grants';
import { agentsQuery } from '../../api/queries';
import { scopeWords, toolsOf } from '../../model/grants';
import { ApiProblem, wordsOf } from '../../model/problem';
import { plural } from '../../model/text';
import { announce } from '../../ui/announce';
import { Dialog } from '../../ui/dialog';
import { QueryState } from '../../ui/query_state';
import { Ago } from '../../ui/when';
import { Granted } from './granted';

const MAX_SHOWN = 200; // rows at once; a filter finds the others

function AddGrant({ onClose }: { onClose: () => void }) {
  const agents = useQuery(agentsQuery);
  const [mode, setMode] = useState<NewGrant['mode']>('allow');
  const add = useMutation({
    mutationFn: (grant: NewGrant) => addGrant(grant),
    onSuccess: (made) => {
      announce(`${made.id} was added`);
      onClose();
    },
    onSettled: grantsChanged,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const said = (name: string) => String(form.get(name) ?? '').trim();
    add.mutate({ mode, agent: said('agent'), team: said('team'), environment: said('environment'), tools: toolsOf(said('tools')), reason: said('reason') });
  };
  const plain = { autoComplete: 'off', autoCapitalize: 'none', spellCheck: false } as const;
  return (
    <Dialog label="Add a tool grant" onClose={onClose}>
      <form className="dialog-form" onSubmit={submit}>
        <h2>Add a tool grant</h2>
        <div className="choices" role="radiogroup" aria-label="What it does">
          <label className="check"><input type="radio" name="mode" checked={mode === 'allow'} onChange={() => setMode('allow')} /> <span>Allow these tools, and no others</span></label>
          <label className="check"><input type="radio" name="mode" checked={mode === 'deny'} onChange={() => setMode('deny')} /> <span>Deny these tools</span></label>
        </div>
        <label>Tools, with commas between them; a * at the end means all that begin so
          <input name="tools" required maxLength={4200} placeholder="lookup_order, crm__*" {...plain} /></label>
        <label>Agent <input name="agent" maxLength={63} list="grant-agents" placeholder="every agent" {...plain} /></label>
        <datalist id="grant-agents">{agents.data?.agents.map((one) => <option key={one.name} value={one.name} />)}</datalist>
        <label>Team <input name="team" maxLength={63} placeholder="any team, and none" {...plain} /></label>
        <label>Environment, the label that runs are started by <input name="environment" maxLength={63} placeholder="any, and none" {...plain} /></label>
        <label>Why (optional)<input name="reason" maxLength={1000} autoComplete="off" /></label>
        <p className="note">{mode === 'allow' ? 'From the next call on, runs under way included, agents that it fits use what such grants list and nothing else.' : 'From the next call on, runs under way included, whatever else allows them.'}</p>
        {add.isError && <p className="problem" role="alert">{wordsOf(add.error)}</p>}
        <p className="buttons"><button className="button primary" type="submit" disabled={add.isPending}>Add</button><button className="button quiet" type="button" onClick={onClose}>Close</button></p>
      </form>
    </Dialog>
  );
}

// The last one that limits its agents is taken back only by who says that all of their tools are meant.
function Revoke({ of, onClose }: { of: ToolGrant; onClose: () => void }) {
  const revoke = useMutation({
    mutationFn: (open: boolean) => revokeGrant(of.id, open),
    onSuccess: () => {
      announce(`${of.id} was revoked`);
      onClose();
    },
    onSettled: grantsChanged,
  });
  const opens = revoke.error instanceof ApiProblem && revoke.error.code === 'grant_limits';
  return (
    <Dialog label={`Revoke ${of.id}`} onClose={onClose}>
      <h2>Revoke {of.id}?</h2>
      <p>{of.mode === 'deny' ? 'No longer denied to' : 'No longer allowed to'} <strong>{scopeWords(of)}</strong>: <code>{of.tools.join(', ')}</code>. It counts from the next call on.</p>
      {revoke.isError && <p className="problem" role="alert">{opens ? (revoke.error as ApiProblem).message : wordsOf(revoke.error)}</p>}
      <p className="buttons">
        {opens
          ? <button className="button danger" disabled={revoke.isPending} onClick={() => revoke.mutate(true)}>Revoke, and allow every tool</button>
          : <button className="button danger" disabled={revoke.isPending} onClick={() => revoke.mutate(false)}>Revoke</button>}
        <button className="button quiet" onClick={onClose}>Close</button>
      </p>
    </Dialog>
  );
}

function Row({ of, admin, onRevoke }: { of: ToolGrant; admin: boolean; onRevoke: () => void }) {
  return (
    <li data-grant={of.id}>
      <strong>{scopeWords(of)}</strong>
      <span className="note"><code>{of.id}</code></span>
      <span className="state"><span className={of.mode === 'deny' ? 'chip failed' : 'chip completed'}>{of.mode}</span> <code>{of.tools.join(', ')}</code></span>
      <span className="note">{of.reason && `${of.reason}; `}set <Ago at={of.set_at} /> by {of.set_by}</span>
      <span className="doing">{admin && <button className="button small quiet" onClick={onRevoke} aria-label={`Revoke ${of.id}`}>Revoke</button>}</span>
    </li>
  );
}

function Operator({ grants }: { grants: string[] }) {
  return (
    <details className="result">
      <summary>What the operator granted: {plural(grants.length, 'grant')}, the most that any agent has</summary>
      <ul className="operator-grants">{grants.map((one) => <li key={one}><code>{one}</code></li>)}</ul>
    </details>
  );
}

const spoken = (of: ToolGrant): string => [scopeWords(of), of.id, of.mode, of.reason, of.set_by, ...of.tools].join(' ').toLowerCase();

export function Grants({ admin }: { admin: boolean }) {
  const query = useQuery(grantsQuery);
  const [adding, setAdding] = useState(false);
  const [revoking, setRevoking] = useState<ToolGrant | null>(null);
  const [wanted, setWanted] = useState('');
  const all = query.data?.grants ?? [];
  const found = all.filter((of) => spoken(of).includes(wanted.trim().toLowerCase()));
  return (
    <section aria-label="Tool grants">
      <div className="title"><h2>Tool grants</h2>{admin && <button className="button primary small" onClick={() => setAdding(true)}>Add a tool grant</button>}</div>
      <p className="note">They only take away. Where no grant fits, an agent uses the tools that its definition names.</p>
      <QueryState of={query} />
      {all.length > 5 && <p><input type="search" aria-label="Find grants" placeholder="Agent, team, environment, tool" value={wanted} onChange={(event) => setWanted(event.target.value)} /></p>}
      <ul className="identities grants" aria-label="Tool grants" aria-busy={query.isPending}>
        {found.slice(0, MAX_SHOWN).map((of) => <Row key={of.id} of={of} admin={admin} onRevoke={() => setRevoking(of)} />)}
      </ul>
      {found.length > MAX_SHOWN && <p className="note">The first {MAX_SHOWN} of {found.length.toLocaleString('en')}.</p>}
      {query.isSuccess && found.length === 0 && <p className="empty">{all.length === 0 ? 'There is no tool grant: every agent uses the tools of its definition.' : 'No grant has these words.'}</p>}
      {query.data && <Granted grants={all} />}
      {query.data && <Operator grants={query.data.operator} />}
      {adding && <AddGrant onClose={() => setAdding(false)} />}
      {revoking && <Revoke of={revoking} onClose={() => setRevoking(null)} />}
    </section>
  );
}
