import { getRouteApi } from '@tanstack/react-router';
import { Inbox } from '../features/inbox/inbox';
import { whoseOf } from '../model/whose';

const route = getRouteApi('/inbox');

export default function InboxRoute() {
  const { approval, for: whose, team } = route.useSearch();
  const navigate = route.useNavigate();
  const of = whoseOf(whose, team);
  return (
    <Inbox whose={of} onWhose={(next) => void navigate({ search: next })} approval={approval}
      onApproval={(next) => void navigate({ search: next === undefined ? of : { ...of, approval: next }, replace: approval !== undefined && next !== undefined })} />
  );
}
