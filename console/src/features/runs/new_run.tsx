import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { answered, api } from '../../api/client';
import { agentsQuery } from '../../api/queries';
import { wordsOf } from '../../model/problem';
import { QueryState } from '../../ui/query_state';
import { useTitle } from '../../ui/use_title';
import { NoAgents } from '../agents/no_agents';
import './runs.css';

export function NewRun() {
  const agents = useQuery(agentsQuery);
  const navigate = useNavigate();
  useTitle('New run');
  const [agent, setAgent] = useState('');
  const [input, setInput] = useState('');
  const [key] = useState(() => crypto.randomUUID()); // sent twice, it is one run
  const names = agents.data?.agents.map((one) => one.name) ?? [];
  const chosen = agent || names[0] || '';
  const start = useMutation({
    mutationFn: () => answered(api.POST('/api/v1/runs', { body: { agent: chosen, input }, params: { header: { 'Idempotency-Key': key } } })),
    onSuccess: (run) => void navigate({ to: '/runs/$id', params: { id: run.id } }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate();
  };
  const none = agents.isSuccess && names.length === 0;
  const problem = start.error;
  return (
    <form className="screen new" onSubmit={submit}>
      <h1>New run</h1>
      <label htmlFor="agent">Agent</label>
      <select id="agent" required value={chosen} onChange={(event) => setAgent(event.target.value)}>
        {names.map((name) => <option key={name} value={name}>{name}</option>)}
      </select>
      <label htmlFor="input">Input</label>
      <textarea id="input" rows={6} required autoFocus value={input} placeholder="What should the agent do?" onChange={(event) => setInput(event.target.value)}
        onKeyDown={(event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit(); }} />
      <button className="button primary" type="submit" disabled={start.isPending || none}>Start run</button>
      <QueryState of={agents} loading="Agents are loading." />
      {none && <NoAgents />}
      {problem && <p className="problem" role="alert">{wordsOf(problem)}</p>}
    </form>
  );
}
