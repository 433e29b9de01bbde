import { getRouteApi } from '@tanstack/react-router';
import { RunDiff } from '../features/forks/run_diff';

const route = getRouteApi('/runs/$id/diff/$other');

export default function RunDiffRoute() {
  const { id, other } = route.useParams();
  return <RunDiff key={`${id} ${other}`} id={id} other={other} />;
}
