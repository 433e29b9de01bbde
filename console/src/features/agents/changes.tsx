// What two versions say differently, by meaning: from `against` to the version that is shown.

import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { diffQuery, labelsQuery, versionsQuery, type Change } from '../../api/agents';
import { plural } from '../../model/text';
import { yamlOf } from '../../model/yaml';
import { QueryState } from '../../ui/query_state';
import type { DefinitionPage, DefinitionSearch } from './definition_screen';

const SIGN: Record<Change['kind'], string> = { added: '+', removed: '\u2212', changed: '~', reordered: '\u21C5' };

function Side({ sign, value }: { sign: '+' | '-'; value: unknown }) {
  if (value === undefined) return null;
  return <>{yamlOf(value).split('\n').map((line, i) => <code key={i} className={sign === '+' ? 'plus' : 'minus'}>{`${sign} ${line}\n`}</code>)}</>;
}

function One({ change }: { change: Change }) {
  return (
    <li className="change">
      <h2><span className={`change-sign ${change.kind}`} aria-hidden="true">{SIGN[change.kind]}</span> <code>{change.path}</code> <span className="note">{change.kind}</span></h2>
      <pre className="lines diff" tabIndex={0} role="group" aria-label={`${change.path}, ${change.kind}`}>
        {change.lines
          ? change.lines.map((line, i) => <code key={i} className={line.startsWith('+') ? 'plus' : line.startsWith('-') ? 'minus' : undefined}>{`${line}\n`}</code>)
          : <><Side sign="-" value={change.before} /><Side sign="+" value={change.after} /></>}
      </pre>
    </li>
  );
}

interface Props { name: string; page: DefinitionPage; version: string; against: string | undefined; search: DefinitionSearch }

export function Changes({ name, page, version, against, search }: Props) {
  const navigate = useNavigate();
  const versions = useInfiniteQuery(versionsQuery(name)).data?.pages.flatMap((page) => page.versions) ?? [];
  const labels = useQuery(labelsQuery(name)).data ?? [];
  const at = versions.findIndex((one) => one.version === version);
  // Unless asked otherwise, with the version before it.
  const other = against ?? versions[at + 1]?.version ?? '';
  const diff = useQuery({ ...diffQuery(name, other, version), enabled: other !== '' });
  const known = versions.some((one) => one.version === other) || labels.some((one) => one.label === other);
  return (
    <>
      <p className="compare-bar">
        <label htmlFor="against">Against</label>
        <select id="against" value={other} onChange={(event) => void navigate({ ...page, search: { ...search, view: 'changes', against: event.target.value }, replace: true })}>
          {other === '' && <option value="">nothing</option>}
          {!known && other !== '' && <option value={other}>{other.slice(0, 12)}</option>}
          {labels.map((one) => <option key={one.label} value={one.label}>{one.label} ({one.version.slice(0, 12)})</option>)}
          {versions.map((one) => <option key={one.version} value={one.version}>{one.version.slice(0, 12)}{one.version === version ? ' (the same)' : ''}</option>)}
        </select>
      </p>
      <QueryState of={diff} />
      {other === '' && <p className="empty">There is no version before this one.</p>}
      {diff.data && (
        <>
          <p className="note" role="status">
            {diff.data.changes.length === 0 ? 'They say the same.' : `${plural(diff.data.changes.length, 'change')} from ${diff.data.from.slice(0, 12)} to ${diff.data.to.slice(0, 12)}`}
          </p>
          <ul className="version-changes">{diff.data.changes.map((change, i) => <One key={i} change={change} />)}</ul>
        </>
      )}
    </>
  );
}
