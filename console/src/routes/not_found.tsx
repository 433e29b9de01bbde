import { Link } from '@tanstack/react-router';
import { useTitle } from '../ui/use_title';

export function NotFound() {
  useTitle('Nothing is here');
  return <div className="screen empty"><h1>Nothing is here</h1><p><Link to="/runs">All runs</Link></p></div>;
}
