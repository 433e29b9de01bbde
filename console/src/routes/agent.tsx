import { getRouteApi } from '@tanstack/react-router';
import { AgentScreen } from '../features/agents/agent_screen';

const route = getRouteApi('/agents/$name');

export default function Agent() {
  const { name } = route.useParams();
  return <AgentScreen key={name} name={name} search={route.useSearch()} />;
}
