import { getRouteApi } from '@tanstack/react-router';
import { Inbox } from '../features/inbox/inbox';

const route = getRouteApi('/inbox');

export default function InboxRoute() {
  const { approval } = route.useSearch();
  const navigate = route.useNavigate();
  return <Inbox approval={approval} onApproval={(next) => void navigate({ search: next === undefined ? {} : { approval: next }, replace: approval !== undefined && next !== undefined })} />;
}
