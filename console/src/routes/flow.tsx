import { getRouteApi } from '@tanstack/react-router';
import { FlowScreen } from '../features/flows/flow_screen';

const route = getRouteApi('/flows/$name');

export default function Flow() {
  const { name } = route.useParams();
  return <FlowScreen key={name} name={name} search={route.useSearch()} />;
}
