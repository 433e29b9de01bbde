import { getRouteApi } from '@tanstack/react-router';
import { RunList } from '../features/runs/run_list';

const route = getRouteApi('/runs');

export default function Runs() {
  const { status, agent, from, to } = route.useSearch();
  const navigate = route.useNavigate();
  return <RunList view={{ status, agent, from, to }} onView={(next) => void navigate({ search: next, replace: true })} />;
}
