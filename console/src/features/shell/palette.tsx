// Go anywhere by typing: screens, agents, flows, runs that were seen, a run by its id.

import { useInfiniteQuery, useQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Command } from 'cmdk';
import { useState } from 'react';
import type { RunSummary } from '../../api/client';
import { flowPagesQuery } from '../../api/flows';
import { agentsQuery } from '../../api/queries';
import type { RunPage } from '../../model/run_pages';
import { lineText } from '../../model/text';
import { Dialog } from '../../ui/dialog';
import { Keys } from '../../ui/keys';
import { AgentName } from '../agents/agent_name';
import { SCREENS } from './screens';

const RUN_ID = /^[A-Za-z0-9_.:@-]{1,200}$/;
const MAX_RUNS = 50;

export function Palette({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const cache = useQueryClient();
  const [typed, setTyped] = useState('');
  const agents = useQuery(agentsQuery).data?.agents ?? [];
  const flows = useInfiniteQuery(flowPagesQuery).data?.pages.flatMap((page) => page.flows) ?? [];
  const [runs] = useState(() => {
    const known = new Map<string, RunSummary>();
    for (const [, data] of cache.getQueriesData<InfiniteData<RunPage<RunSummary>>>({ queryKey: ['runs'] })) {
      for (const run of data?.pages[0]?.runs ?? []) known.set(run.id, run);
    }
    return [...known.values()].slice(0, MAX_RUNS);
  });
  const go: typeof navigate = (to) => {
    onClose();
    return navigate(to);
  };
  const open = (id: string) => void go({ to: '/runs/$id', params: { id } });
  const id = typed.trim();
  return (
    <Dialog label="Go to" onClose={onClose} className="palette">
      <Command label="Go to">
        <Command.Input autoFocus value={typed} onValueChange={setTyped} placeholder="A screen, an agent, a flow, a run" aria-label="A screen, an agent, a flow, a run" />
        <Command.List>
          <Command.Empty>Nothing fits.</Command.Empty>
          {RUN_ID.test(id) && !runs.some((run) => run.id === id) && <Command.Item value={`run ${id}`} forceMount onSelect={() => open(id)}>Run <code>{id}</code></Command.Item>}
          <Command.Group heading="Screens">
            {SCREENS.map((screen) => (
              <Command.Item key={screen.to} onSelect={() => void go({ to: screen.to })}>{screen.name}<Keys of={screen.keys} /></Command.Item>
            ))}
          </Command.Group>
          <Command.Group heading="Agents">
            {agents.map(({ name, description }) => <Command.Item key={name} value={`agent ${name}`} onSelect={() => void go({ to: '/agents/$name', params: { name } })}>{name} <span className="note">{description}</span></Command.Item>)}
          </Command.Group>
          <Command.Group heading="Flows">
            {flows.map(({ name, description }) => <Command.Item key={name} value={`flow ${name}`} onSelect={() => void go({ to: '/flows/$name', params: { name } })}>{name} <span className="note">{description}</span></Command.Item>)}
          </Command.Group>
          <Command.Group heading="Runs">
            {runs.map((run) => (
              <Command.Item key={run.id} value={`${run.agent} ${run.id} ${lineText(run.input).slice(0, 80)}`} onSelect={() => open(run.id)}>
                <span><AgentName of={run.agent} /></span> <span className="note">{lineText(run.input).slice(0, 60)}</span> <code>{run.id}</code>
              </Command.Item>
            ))}
          </Command.Group>
        </Command.List>
      </Command>
    </Dialog>
  );
}
