import { getRouteApi } from '@tanstack/react-router';
import { RecordScreen } from '../features/record/record_screen';

const route = getRouteApi('/record');

export default function Record() {
  const navigate = route.useNavigate();
  return <RecordScreen search={route.useSearch()} onSearch={(next) => void navigate({ search: next, replace: true })} />;
}
