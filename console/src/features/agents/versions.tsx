import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { versionsQuery } from '../../api/agents';
import { QueryState } from '../../ui/query_state';
import { Ago } from '../../ui/when';
import type { DefinitionPage, DefinitionSearch } from './definition_screen';

export function Versions({ name, page, shown, search }: { name: string; page: DefinitionPage; shown: string; search: DefinitionSearch }) {
  const query = useInfiniteQuery(versionsQuery(name));
  const versions = query.data?.pages.flatMap((page) => page.versions) ?? [];
  return (
    <>
      <h2>Versions</h2>
      <QueryState of={query} />
      <ol className="versions" aria-busy={query.isPending}>
        {versions.map((one) => (
          <li key={one.version} className={one.version === shown ? 'chosen' : undefined}>
            <Link {...page} search={{ ...search, version: one.version }} title={one.version} aria-current={one.version === shown ? 'true' : undefined}><code>{one.version.slice(0, 12)}</code></Link>
            {one.current && <span className="chip completed">current</span>}
            {one.labels.map((label) => <span key={label} className="chip">{label}</span>)}
            {one.updated_at && <Ago className="note" at={one.updated_at} />}
            {one.version !== shown && (
              <Link className="compare" {...page} search={{ ...search, version: shown, against: one.version, view: 'changes' }} aria-label={`Compare with ${one.version.slice(0, 12)}`}>Compare</Link>
            )}
          </li>
        ))}
      </ol>
      {query.hasNextPage && <button className="button small" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Older versions</button>}
    </>
  );
}
