import { getRouteApi } from '@tanstack/react-router';
import { Budgets } from '../features/usage/budgets';

const route = getRouteApi('/budgets');

export default function BudgetsRoute() {
  const navigate = route.useNavigate();
  return <Budgets waiting={route.useSearch().waiting === true} onWaiting={(waiting) => void navigate({ search: waiting ? { waiting: true } : {}, replace: true })} />;
}
