// A version of an agent or a flow, in one of its views, beside the others that there are. The address says which.

import { Link } from '@tanstack/react-router';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { fieldsOf, textOf } from '../../model/events';
import { QueryState } from '../../ui/query_state';
import { useTitle } from '../../ui/use_title';
import { Changes } from './changes';
import { Versions } from './versions';
import './agents.css';

// Agents and flows are looked at alike: a version, another one, and how; of a flow's graph a block.
export interface DefinitionSearch { version?: string; against?: string; view?: 'definition' | 'changes' | 'start'; block?: string }
export interface DefinitionPage { to: '/agents/$name' | '/flows/$name'; params: { name: string } }

export interface Shown { version: string; definition?: Record<string, unknown> | undefined; current?: boolean | undefined }

// The first view is the one without a word in the address.
export type Views<V extends string> = readonly (readonly [V, string])[];

const KINDS = { '/agents/$name': { one: 'agent', many: 'Agents', all: '/agents', allWords: 'All agents' }, '/flows/$name': { one: 'flow', many: 'Flows', all: '/flows', allWords: 'All flows' } } as const;

interface Props<V extends string> {
  page: DefinitionPage;
  subject: string; // as runs and versions call it
  search: DefinitionSearch;
  shown: UseQueryResult<Shown>;
  views: Views<V>;
  view: V;
  children: (shown: Shown) => ReactNode; // of every view but the changes
  beside?: (shown: Shown) => ReactNode; // above the versions
}

export function DefinitionScreen<V extends string>({ page, subject, search, shown, views, view, children, beside }: Props<V>) {
  const kind = KINDS[page.to];
  useTitle(`${page.params.name} \u00B7 ${kind.many}`);
  const said = textOf(fieldsOf(fieldsOf(shown.data?.definition)['metadata'])['description']);
  return (
    <div className="screen agent-screen">
      <div className="title">
        <h1>{page.params.name}</h1>
        {shown.data && <code className="hash" title={shown.data.version}>{shown.data.version.slice(0, 12)}</code>}
        {shown.data?.current && <span className="chip completed">current</span>}
        <span className="agent-links">
          <Link to="/runs" search={{ agent: subject }}>Runs</Link>
          <Link to={kind.all}>{kind.allWords}</Link>
        </span>
      </div>
      {said && <p className="note">{said}</p>}
      <QueryState of={shown} />
      {shown.data && (
        <div className="agent-panes">
          <section aria-label={views.find(([id]) => id === view)?.[1]}>
            <nav className="tabs" aria-label={`Views of the ${kind.one}`}>
              {views.map(([id, words], i) => (
                <Link key={id} {...page} search={{ ...search, view: i === 0 ? undefined : id as DefinitionSearch['view'] }} replace
                  activeOptions={{ exact: true, includeSearch: true, explicitUndefined: true }} activeProps={{}} inactiveProps={{}} aria-current={id === view ? 'page' : undefined}>{words}</Link>
              ))}
            </nav>
            {view === 'changes' ? <Changes name={subject} page={page} version={shown.data.version} against={search.against} search={search} /> : children(shown.data)}
          </section>
          <aside aria-label={beside ? 'Labels and versions' : 'Versions'}>
            {beside?.(shown.data)}
            <Versions name={subject} page={page} shown={shown.data.version} search={search} />
          </aside>
        </div>
      )}
    </div>
  );
}
