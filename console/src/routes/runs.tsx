import { getRouteApi } from '@tanstack/react-router';
import { RunList } from '../features/runs/run_list';

const route = getRouteApi('/runs');

export default function Runs() {
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  return <RunList filter={filter} onFilter={(next) => void navigate({ search: next, replace: true })} />;
}
