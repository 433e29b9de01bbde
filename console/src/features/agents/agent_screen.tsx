// One agent: a version of it, what changed against another, its labels, and a run of it.

import { useQuery } from '@tanstack/react-query';
import { agentQuery } from '../../api/agents';
import { yamlOf } from '../../model/yaml';
import { DefinitionScreen, type DefinitionSearch, type Views } from './definition_screen';
import { Labels } from './labels';
import { Lines } from './lines';
import { StartRun } from './start_run';

const VIEWS: Views<'definition' | 'changes' | 'start'> = [['definition', 'Definition'], ['changes', 'Changes'], ['start', 'Start a run']];

export function AgentScreen({ name, search }: { name: string; search: DefinitionSearch }) {
  const shown = useQuery(agentQuery(name, search.version));
  const view = search.view ?? 'definition';
  return (
    <DefinitionScreen page={{ to: '/agents/$name', params: { name } }} subject={name} search={search} shown={shown} views={VIEWS} view={view}
      beside={({ version }) => <Labels name={name} version={version} />}>
      {({ version, definition }) => (view === 'start' ? <StartRun key={version} name={name} version={version} definition={definition} /> : <Lines text={yamlOf(definition)} label="Definition" />)}
    </DefinitionScreen>
  );
}
