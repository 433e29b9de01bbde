import { getRouteApi } from '@tanstack/react-router';
import { UsageScreen } from '../features/usage/usage_screen';

const route = getRouteApi('/usage');

export default function Usage() {
  const navigate = route.useNavigate();
  return <UsageScreen search={route.useSearch()} onSearch={(next) => void navigate({ search: next, replace: true })} />;
}
