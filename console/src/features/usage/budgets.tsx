// Runs that have budgets: what of each is used, and who waits until one is raised.

import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState, type FormEvent } from 'react';
import { budgetsQuery, followBudgets, raiseBudget, type BudgetedRun, type Raise as To } from '../../api/budgets';
import { queryClient, settled } from '../../api/queries';
import { BUDGET_WORDS, otherBudgets, partsOf, raised, type BudgetPart } from '../../model/budgets';
import { wordsOf } from '../../model/problem';
import { plural } from '../../model/text';
import { announce } from '../../ui/announce';
import { Chip } from '../../ui/chip';
import { Dialog } from '../../ui/dialog';
import { QueryState } from '../../ui/query_state';
import { useTitle } from '../../ui/use_title';
import { Ago } from '../../ui/when';
import { AgentName } from '../agents/agent_name';
import './usage.css';

function Part({ part }: { part: BudgetPart }) {
  const full = part.share >= 1;
  return (
    <div className="budget-part">
      <span>{BUDGET_WORDS[part.name]}</span>
      <span className={full ? 'budget-bar full' : 'budget-bar'} aria-hidden="true"><span style={{ width: `${Math.min(100, part.share * 100)}%` }} /></span>
      <span className="note">{part.used} of {part.limit}{full ? ', used up' : ''}</span>
    </div>
  );
}

function Raise({ of, onClose }: { of: BudgetedRun; onClose: () => void }) {
  const parts = partsOf(of.budgets);
  const [name, setName] = useState(parts.find((part) => part.share >= 1)?.name ?? parts[0]!.name);
  const [typed, setTyped] = useState('');
  const to = raised(name, typed);
  const raise = useMutation({
    mutationFn: (limits: To) => raiseBudget(of.run, limits),
    onSuccess: () => {
      announce('the budget was raised');
      onClose();
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['budgets'] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (to) raise.mutate(to);
  };
  return (
    <Dialog label="Raise a budget" onClose={onClose}>
      <form className="raise" onSubmit={submit}>
        <h2>Raise a budget of {of.agent}</h2>
        <p className="note">For good. Runs that wait for it go on.</p>
        <label>Which <select id="raise-which" value={name} onChange={(event) => setName(event.target.value as BudgetPart['name'])}>{parts.map((part) => <option key={part.name} value={part.name}>{BUDGET_WORDS[part.name]}, {part.limit}</option>)}</select></label>
        <label>To <input id="raise-to" required inputMode="decimal" autoComplete="off" value={typed} onChange={(event) => setTyped(event.target.value)} /></label>
        {raise.isError && <p className="problem" role="alert">{wordsOf(raise.error)}</p>}
        <p className="buttons"><button className="button primary" type="submit" disabled={raise.isPending || !to}>Raise</button><button className="button quiet" type="button" onClick={onClose}>Close</button></p>
      </form>
    </Dialog>
  );
}

function Row({ of, onRaise }: { of: BudgetedRun; onRaise: () => void }) {
  const parts = partsOf(of.budgets);
  const others = otherBudgets(of.budgets);
  return (
    <li data-run={of.run}>
      <div className="budget-run">
        <strong><AgentName of={of.agent} /></strong> <Link to="/runs/$id" params={{ id: of.run }}><code>{of.run}</code></Link>
        <span className="note"><Ago at={of.begun_at} />{of.parent && <>, called by <Link to="/runs/$id" params={{ id: of.parent }}><code>{of.parent}</code></Link></>}</span>
        <span>{of.status ? <Chip status={of.status} /> : of.waiting > 0 ? <span className="chip budget">! {plural(of.waiting, 'run')} waiting</span> : <Chip status="running" />}</span>
      </div>
      <div className="budget-parts">
        {parts.map((part) => <Part key={part.name} part={part} />)}
        {others.length > 0 && <span className="note">{others.join(', ')}</span>}
      </div>
      <span>{!of.status && parts.length > 0 && <button className="button small" onClick={onRaise} aria-label={`Raise a budget of ${of.run}`}>Raise</button>}</span>
    </li>
  );
}

export function Budgets({ waiting, onWaiting }: { waiting: boolean; onWaiting: (waiting: boolean) => void }) {
  useTitle('Budgets');
  const query = useInfiniteQuery(budgetsQuery(waiting));
  useEffect(() => followBudgets(waiting), [waiting]);
  const [raising, setRaising] = useState<BudgetedRun | null>(null);
  const rows = query.data?.pages.flatMap((page) => page.budgets) ?? [];
  return (
    <div className="screen">
      <div className="title"><h1>Budgets</h1><Link className="button quiet small" to="/usage">Usage</Link></div>
      <label className="only"><input id="only-waiting" type="checkbox" checked={waiting} onChange={(event) => onWaiting(event.target.checked)} /> Only those that a run waits for</label>
      <QueryState of={query} />
      <ul className="budgets" aria-label="Runs with budgets" aria-busy={query.isPending}>
        {rows.map((of) => <Row key={of.run} of={of} onRaise={() => setRaising(of)} />)}
      </ul>
      {query.isSuccess && rows.length === 0 && <p className="empty">{waiting ? 'No run waits for a budget.' : 'No run has a budget: an agent’s definition gives them, under budgets.'}</p>}
      {query.hasNextPage && <p><button className="button" disabled={query.isFetchingNextPage} onClick={() => void settled(budgetsQuery(waiting).queryKey).then(() => query.fetchNextPage())}>Older ones</button></p>}
      {raising && <Raise of={raising} onClose={() => setRaising(null)} />}
    </div>
  );
}
