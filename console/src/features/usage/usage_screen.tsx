// Tokens and cost: a chart by day, and a table by what the address says.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Suspense, lazy, useMemo, type ReactNode } from 'react';
import { usageQuery, type UsageRow } from '../../api/usage';
import { QueryState } from '../../ui/query_state';
import { useTitle } from '../../ui/use_title';
import { plural } from '../../model/text';
import { BY, costWords, dayOf, dayPoints, isDay, tokensOf, usdOf, type By, type Measure, type Used } from '../../model/usage';
import './usage.css';

const Chart = lazy(() => import('./chart'));

export interface UsageSearch { by?: By; from?: string; to?: string; chart?: Measure }

const BY_WORDS: Record<By, string> = { agent: 'Agent', model: 'Model', version: 'Version', tool: 'Tool', day: 'Day' };
const RANGES: readonly [string, number][] = [['7 days', 7], ['30 days', 30], ['90 days', 90]];
const DAY_MS = 86_400_000;
const number = (count: number | undefined): string => (count ?? 0).toLocaleString('en');

function nameOf(by: By, row: UsageRow): ReactNode {
  switch (by) {
    case 'agent': return row.agent ? <Link to="/agents/$name" params={{ name: row.agent }}>{row.agent}</Link> : 'unknown';
    case 'model': return <>{row.model || 'unknown'} <span className="note">{row.provider}</span></>;
    case 'version': return (
      <>{row.agent} {row.agent && row.version ? <Link to="/agents/$name" params={{ name: row.agent }} search={{ version: row.version }} title={row.version}>{row.version.slice(0, 12)}</Link> : row.version?.slice(0, 12)}</>
    );
    case 'tool': return row.tool || 'unknown';
    case 'day': return row.day ? <Link to="/usage" search={{ from: row.day, to: row.day }}>{row.day}</Link> : 'unknown';
  }
}

function Cost({ used }: { used: Used }) {
  const words = costWords(used);
  return <span className={words.endsWith('unpriced') ? 'unpriced' : undefined} title={used.cost?.price_as_of ? `prices of ${used.cost.price_as_of}` : undefined}>{words}</span>;
}

function Numbers({ used }: { used: UsageRow }) {
  const cached = used.cached_input_tokens ? `${number(used.cached_input_tokens)} cached` : '';
  const reasoning = used.reasoning_tokens ? `${number(used.reasoning_tokens)} reasoning` : '';
  return (
    <>
      <td>{number(used.model_calls)}</td>
      <td>{number(used.tool_calls)}</td>
      <td>{number(used.input_tokens)}{cached && <span className="note">{cached}</span>}</td>
      <td>{number(used.output_tokens)}{reasoning && <span className="note">{reasoning}</span>}</td>
      <td><Cost used={used} /></td>
    </>
  );
}

function Table({ by, rows, total, more }: { by: By; rows: UsageRow[]; total: UsageRow; more: boolean }) {
  return (
    <div className="scroll usage-table" tabIndex={0} role="group" aria-label={`Usage by ${by}`}>
      <table>
        <thead><tr><th scope="col">{BY_WORDS[by]}</th><th scope="col">Model calls</th><th scope="col">Tool calls</th><th scope="col">Input tokens</th><th scope="col">Output tokens</th><th scope="col">Cost</th></tr></thead>
        <tbody>{rows.map((row, i) => <tr key={i}><th scope="row">{nameOf(by, row)}</th><Numbers used={row} /></tr>)}</tbody>
        <tfoot><tr><th scope="row">{more ? 'All, with rows not shown' : 'All'}</th><Numbers used={total} /></tr></tfoot>
      </table>
    </div>
  );
}

// The chart says it to those who see it, the table to everybody.
function Days({ rows, from, to, measure, hidden }: { rows: UsageRow[]; from: string; to: string; measure: Measure; hidden: boolean }) {
  const points = useMemo(() => dayPoints(rows, from, to), [rows, from, to]);
  return (
    <figure className="usage-chart" aria-label={measure === 'cost' ? 'Cost by day' : 'Tokens by day'}>
      <div aria-hidden="true"><Suspense fallback={<div className="chart-space" />}><Chart points={points} measure={measure} /></Suspense></div>
      {hidden && (
        <div className="visually-hidden">
          <table>
            <caption>{measure === 'cost' ? 'Cost by day' : 'Tokens by day'}</caption>
            <thead><tr><th scope="col">Day</th><th scope="col">{measure === 'cost' ? 'Cost' : 'Tokens'}</th></tr></thead>
            <tbody>{points.map((point) => <tr key={point.day}><th scope="row">{point.day}</th><td>{measure === 'cost' ? point.words : number(point.tokens)}</td></tr>)}</tbody>
          </table>
        </div>
      )}
    </figure>
  );
}

function Facts({ total, unpriced }: { total: UsageRow; unpriced: number }) {
  return (
    <dl className="usage-facts">
      <div><dt>Cost</dt><dd><Cost used={total} /></dd></div>
      <div><dt>Tokens</dt><dd>{number(tokensOf(total))}</dd></div>
      <div><dt>Model calls</dt><dd>{number(total.model_calls)}</dd></div>
      {unpriced > 0 && <div><dt>Without a price</dt><dd className="unpriced">{plural(unpriced, 'call')}</dd></div>}
    </dl>
  );
}

function Choices({ search, from, to, onSearch }: { search: UsageSearch; from: string; to: string; onSearch: (search: UsageSearch) => void }) {
  const day = (part: 'from' | 'to', value: string) => { if (isDay(value)) onSearch({ ...search, from, to, [part]: value }); };
  return (
    <div className="usage-choices">
      <label>By <select id="usage-by" value={search.by ?? 'agent'} onChange={(event) => onSearch({ ...search, by: event.target.value as By })}>{BY.map((by) => <option key={by} value={by}>{BY_WORDS[by].toLowerCase()}</option>)}</select></label>
      <label>From <input id="usage-from" type="date" value={from} max={to} onChange={(event) => day('from', event.target.value)} /></label>
      <label>To <input id="usage-to" type="date" value={to} min={from} onChange={(event) => day('to', event.target.value)} /></label>
      <span className="ranges">
        {RANGES.map(([words, days]) => {
          const today = Date.now();
          return <button key={words} className="button small quiet" onClick={() => onSearch({ ...search, from: dayOf(today - (days - 1) * DAY_MS), to: dayOf(today) })}>{words}</button>;
        })}
      </span>
    </div>
  );
}

export function UsageScreen({ search, onSearch }: { search: UsageSearch; onSearch: (search: UsageSearch) => void }) {
  useTitle('Usage');
  const by = search.by ?? 'agent';
  const report = useQuery(usageQuery(by, search));
  const days = useQuery(usageQuery('day', search));
  // Where nothing has a price, tokens say more.
  const measure = search.chart ?? (days.data && days.data.rows.length > 0 && days.data.rows.every((row) => usdOf(row) === null) ? 'tokens' : 'cost');
  const from = search.from ?? report.data?.from ?? '';
  const to = search.to ?? report.data?.to ?? '';
  const unpricedDays = days.data?.rows.filter((row) => usdOf(row) === null).length ?? 0;
  return (
    <div className="screen">
      <div className="title"><h1>Usage</h1><span className="note">Days are those of UTC</span><Link className="button quiet small" to="/budgets">Budgets</Link></div>
      <Choices search={search} from={from} to={to} onSearch={onSearch} />
      <QueryState of={report.isError || !days.isError ? report : days} />
      {days.data && (
        <>
          <Facts total={days.data.total} unpriced={days.data.total.unpriced_calls ?? 0} />
          <div className="chart-bar" role="group" aria-label="What the chart shows">
            {(['cost', 'tokens'] as const).map((one) => <button key={one} className="button small quiet" aria-pressed={one === measure} onClick={() => onSearch({ ...search, chart: one })}>{one === 'cost' ? 'Cost' : 'Tokens'}</button>)}
            {measure === 'cost' && unpricedDays > 0 && <span className="note">{plural(unpricedDays, 'day')} without any price: no bar is not zero.</span>}
          </div>
          <Days rows={days.data.rows} from={days.data.from} to={days.data.to} measure={measure} hidden={by !== 'day'} />
        </>
      )}
      {report.data && report.data.by === by && (report.data.rows.length > 0
        ? <Table by={by} rows={report.data.rows} total={report.data.total} more={report.data.more} />
        : <p className="empty">Nothing was used by any {by} in these days.</p>)}
      {report.data?.more && <p className="note">The first 1,000 rows are shown.</p>}
    </div>
  );
}
