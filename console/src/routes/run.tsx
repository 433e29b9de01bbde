import { getRouteApi } from '@tanstack/react-router';
import { RunScreen } from '../features/run/run_screen';

const route = getRouteApi('/runs/$id');

export default function Run() {
  const { id } = route.useParams();
  const { step, view } = route.useSearch();
  const navigate = route.useNavigate();
  return <RunScreen key={id} id={id} step={step} view={view} onStep={(next) => void navigate({ search: { step: next, view }, replace: true })} />;
}
