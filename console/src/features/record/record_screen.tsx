// The record: who did what, and when. The newest first, of the time, the people and the things that the address says.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { memo, useState, type FormEvent } from 'react';
import { MAX_ROWS, recordQuery } from '../../api/record';
import { fieldsOf } from '../../model/events';
import { BEGINNING, KINDS, linesOf, localOf, momentOfLocal, RANGES, runOf, sinceOf, type RecordFilter, type RecordRow } from '../../model/record';
import { momentOf, plural } from '../../model/text';
import { QueryState } from '../../ui/query_state';
import { useTitle } from '../../ui/use_title';
import { Value } from '../../ui/value';
import { Moment } from '../../ui/when';
import './record.css';

export type RecordSearch = RecordFilter;

const SHOWN = 200;

const Row = memo(function Row({ row }: { row: RecordRow }) {
  const run = runOf(row);
  const hasDetail = Object.keys(fieldsOf(row.detail)).length > 0;
  return (
    <li data-kind={row.kind}>
      <Moment at={row.at} />
      <strong>{row.principal || 'nobody named'}</strong>
      <code>{row.kind}</code>
      <span className="record-subject">{run ? <Link to="/runs/$id" params={{ id: run }}>{run}</Link> : row.subject}</span>
      {hasDetail && <details className="result"><summary>Detail<span className="visually-hidden"> of row {row.id}</span></summary><Value of={row.detail} /></details>}
    </li>
  );
});

function Filter({ search, onSearch }: { search: RecordSearch; onSearch: (search: RecordSearch) => void }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const said = (name: string) => String(form.get(name) ?? '').trim() || undefined;
    onSearch({ principal: said('principal'), kind: said('kind'), subject: said('subject'), from: momentOfLocal(said('from') ?? ''), until: momentOfLocal(said('until') ?? '') });
  };
  const plain = { autoComplete: 'off', autoCapitalize: 'none', spellCheck: false } as const;
  const isFiltered = Object.values(search).some(Boolean);
  return (
    // By its words: the fields are those of the address, also when it changes under them.
    <form key={JSON.stringify(search)} className="record-filter" role="search" aria-label="Filter the record" onSubmit={submit}>
      <label>Who <input name="principal" maxLength={200} defaultValue={search.principal} placeholder="anybody" {...plain} /></label>
      <label>What <input name="kind" maxLength={200} defaultValue={search.kind} list="record-kinds" placeholder="anything" {...plain} /></label>
      <datalist id="record-kinds">{KINDS.map(([kind, words]) => <option key={kind} value={kind}>{words}</option>)}</datalist>
      <label>To what <input name="subject" maxLength={200} defaultValue={search.subject} placeholder="a run, a name" {...plain} /></label>
      <label>From <input name="from" type="datetime-local" defaultValue={localOf(search.from === BEGINNING ? undefined : search.from)} /></label>
      <label>Until <input name="until" type="datetime-local" defaultValue={localOf(search.until)} /></label>
      <span className="buttons">
        <button className="button" type="submit">Show</button>
        {isFiltered && <button className="button quiet" type="button" onClick={() => onSearch({})}>Clear</button>}
      </span>
    </form>
  );
}

function save(rows: readonly RecordRow[]): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([linesOf(rows)], { type: 'application/x-ndjson' }));
  link.download = 'record.jsonl';
  link.click();
  URL.revokeObjectURL(link.href);
}

export function RecordScreen({ search, onSearch }: { search: RecordSearch; onSearch: (search: RecordSearch) => void }) {
  useTitle('The record');
  const [opened] = useState(() => Date.now());
  const [shown, setShown] = useState(SHOWN);
  const query = useQuery(recordQuery(search, sinceOf(search, opened)));
  const { rows = [], whole = true } = query.data ?? {};
  const newest = rows.slice(Math.max(0, rows.length - shown)).toReversed();
  const since = (ms: number) => new Date(Math.floor((Date.now() - ms) / 60_000) * 60_000).toISOString();
  return (
    <div className="screen record">
      <div className="title">
        <h1>The record</h1>
        <span className="note">{search.from === BEGINNING ? 'from the beginning' : search.from ? `since ${momentOf(Date.parse(search.from))}` : 'of the last day'}{search.until ? ` until ${momentOf(Date.parse(search.until))}` : ''}</span>
        <button className="button small" disabled={rows.length === 0} onClick={() => save(rows)}>Export {rows.length > 0 ? plural(rows.length, 'row') : 'rows'}</button>
      </div>
      <Filter search={search} onSearch={onSearch} />
      <p className="ranges">
        {RANGES.map(([words, ms]) => <button key={words} className="button small quiet" onClick={() => onSearch({ ...search, from: since(ms), until: undefined })}>{words}</button>)}
        <button className="button small quiet" onClick={() => onSearch({ ...search, from: BEGINNING, until: undefined })}>From the beginning</button>
        <button className="button small quiet" disabled={query.isFetching} onClick={() => void query.refetch()}>Ask again</button>
      </p>
      <QueryState of={query} loading="The record is read." />
      {!whole && <p className="note" role="status">These are the first {MAX_ROWS.toLocaleString('en')} rows of this time: narrow it, or take all of it with <code>holdfast audit export</code>.</p>}
      <ol className="record-rows" aria-label="Rows of the record" aria-busy={query.isPending}>{newest.map((row) => <Row key={row.id} row={row} />)}</ol>
      {rows.length > shown && <p><button className="button" onClick={() => setShown(shown + SHOWN)}>Earlier rows</button></p>}
      {query.isSuccess && rows.length === 0 && <p className="empty">Nothing of this is in the record.</p>}
    </div>
  );
}
