import { Link } from '@tanstack/react-router';

export function NotFound() {
  return <div className="screen empty"><h1>Nothing is here</h1><p><Link to="/runs">All runs</Link></p></div>;
}
