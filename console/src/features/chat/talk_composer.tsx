// Where somebody writes: the next turn, or into the one that is under way.

import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, type FormEvent, type KeyboardEvent } from 'react';
import { say, stop } from '../../api/chat';
import { agentsQuery } from '../../api/queries';
import { wordsOf } from '../../model/problem';
import { announce } from '../../ui/announce';
import { QueryState } from '../../ui/query_state';
import { useDraft } from '../../ui/use_draft';
import { useKeys } from '../../ui/use_keys';
import { NoAgents } from '../agents/no_agents';

interface Props {
  conversation: string;
  draft: string; // under which name what is begun is kept
  agent: string | undefined; // who answered last
  open: string | undefined; // the run whose turn it is
  onSaid?: () => void;
}

export function TalkComposer({ conversation, draft: name, agent: last, open, onSaid }: Props) {
  const agents = useQuery(agentsQuery);
  const [picked, setPicked] = useState('');
  const draft = useDraft(name);
  const names = agents.data?.agents.map((one) => one.name) ?? [];
  if (last && !names.includes(last)) names.unshift(last);
  const agent = picked || last || names[0] || '';
  const none = agents.isSuccess && names.length === 0;
  const send = useMutation({
    mutationFn: () => say({ conversation, agent, text: draft.text, id: draft.idOfSending(), into: open }),
    onSuccess: () => {
      draft.clear();
      if (open) announce('the agent has the message');
      onSaid?.();
    },
  });
  const end = useMutation({ mutationFn: stop });
  useKeys([{ keys: 'm', says: 'Write', run: () => document.getElementById('say')?.focus() }]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (draft.text.trim() && agent && !send.isPending) send.mutate();
  };
  const onKey = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    event.currentTarget.form?.requestSubmit();
  };
  const problem = send.error ?? end.error;
  return (
    <form className="talk-composer" onSubmit={submit}>
      <textarea id="say" rows={2} aria-label={open ? 'Message into this turn' : 'Message'} autoFocus value={draft.text} onChange={(event) => draft.write(event.target.value)} onKeyDown={onKey}
        placeholder={open ? 'Steer: the agent reads this before it goes on' : 'What should the agent do? Enter sends, Shift Enter is a new line'} />
      <div className="talk-actions">
        <select aria-label="Agent" value={agent} disabled={open !== undefined} onChange={(event) => setPicked(event.target.value)}>
          {names.map((one) => <option key={one} value={one}>{one}</option>)}
        </select>
        {open && <button className="button danger" type="button" disabled={end.isPending || (end.isSuccess && end.variables === open)} onClick={() => end.mutate(open)}>Stop</button>}
        <button className="button primary" type="submit" disabled={send.isPending || !draft.text.trim() || !agent}>{open ? 'Steer' : 'Send'}</button>
      </div>
      <QueryState of={agents} loading="Agents are loading." />
      {none && <NoAgents />}
      {problem && <p className="problem" role="alert">{send.error ? 'Not known to be sent (send it again, it is the same message): ' : ''}{wordsOf(problem)}</p>}
    </form>
  );
}
