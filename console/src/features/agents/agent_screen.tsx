// One agent: a version of it, what changed against another, its labels, and a run of it. The address says which.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { agentQuery } from '../../api/agents';
import { fieldsOf, textOf } from '../../model/events';
import { yamlOf } from '../../model/yaml';
import { QueryState } from '../../ui/query_state';
import { Changes } from './changes';
import { Labels } from './labels';
import { Lines } from './lines';
import { StartRun } from './start_run';
import { Versions } from './versions';
import './agents.css';

// Agents and flows are looked at alike: a version, another one, and how; of a flow's graph a block.
export interface DefinitionSearch { version?: string; against?: string; view?: 'definition' | 'changes' | 'start'; block?: string }
export interface DefinitionPage { to: '/agents/$name' | '/flows/$name'; params: { name: string } }

export type AgentView = 'definition' | 'changes' | 'start';

const VIEWS: readonly [AgentView, string][] = [['definition', 'Definition'], ['changes', 'Changes'], ['start', 'Start a run']];

export function AgentScreen({ name, search }: { name: string; search: DefinitionSearch }) {
  const shown = useQuery(agentQuery(name, search.version));
  const view = search.view ?? 'definition';
  const version = shown.data?.version;
  const definition = shown.data?.definition;
  const said = textOf(fieldsOf(fieldsOf(definition)['metadata'])['description']);
  return (
    <div className="screen agent-screen">
      <div className="title">
        <h1>{name}</h1>
        {version && <code className="hash" title={version}>{version.slice(0, 12)}</code>}
        {shown.data?.current && <span className="chip completed">current</span>}
        <span className="agent-links">
          <Link to="/runs" search={{ agent: name }}>Runs</Link>
          <Link to="/agents">All agents</Link>
        </span>
      </div>
      {said && <p className="note">{said}</p>}
      <QueryState of={shown} />
      {version && (
        <div className="agent-panes">
          <section aria-label={VIEWS.find(([id]) => id === view)?.[1]}>
            <nav className="tabs" aria-label="Views of the agent">
              {VIEWS.map(([id, words]) => (
                <Link key={id} to="/agents/$name" params={{ name }} search={{ ...search, view: id === 'definition' ? undefined : id }} replace
                  activeOptions={{ exact: true, includeSearch: true, explicitUndefined: true }} activeProps={{}} inactiveProps={{}} aria-current={id === view ? 'page' : undefined}>{words}</Link>
              ))}
            </nav>
            {view === 'definition' && <Lines text={yamlOf(definition)} label="Definition" />}
            {view === 'changes' && <Changes name={name} page={{ to: '/agents/$name', params: { name } }} version={version} against={search.against} search={search} />}
            {view === 'start' && <StartRun key={version} name={name} version={version} definition={definition} />}
          </section>
          <aside aria-label="Labels and versions">
            <Labels name={name} version={version} />
            <Versions name={name} page={{ to: '/agents/$name', params: { name } }} shown={version} search={search} />
          </aside>
        </div>
      )}
    </div>
  );
}
