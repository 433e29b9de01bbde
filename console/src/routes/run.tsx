import { getRouteApi } from '@tanstack/react-router';
import { RunScreen } from '../features/run/run_screen';

const route = getRouteApi('/runs/$id');

export default function Run() {
  const { id } = route.useParams();
  const { step } = route.useSearch();
  const navigate = route.useNavigate();
  return <RunScreen key={id} id={id} step={step} onStep={(next) => void navigate({ search: next === undefined ? {} : { step: next }, replace: true })} />;
}
