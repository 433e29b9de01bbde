// Two runs side by side: what they have in common, and behind it what each said and did.

import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { runDiffQuery } from '../../api/forks';
import { settled } from '../../api/queries';
import { callsOf, factsOf, messageOf, rowsOf, type DiffMessage, type DiffRow, type Made, type Side } from '../../model/run_diff';
import { bytes, plural } from '../../model/text';
import { RUN_WORDS, wordOf } from '../../ui/chip';
import { QueryState } from '../../ui/query_state';
import { useTitle } from '../../ui/use_title';
import { Value } from '../../ui/value';
import { Prose } from '../run/items';
import '../run/run.css';
import './forks.css';

function Said({ of, side }: { of: DiffMessage | undefined; side: 'A' | 'B' }) {
  if (!of) return <p className="diff-none">{side} says nothing here.</p>;
  return (
    <article className={`diff-message ${of.role}${of.isError ? ' bad' : ''}`} aria-label={`${side}: message ${of.sequence}, ${of.role}`}>
      <header><span className="kind">{of.role}</span><span className="note">{side}, message {of.sequence}</span></header>
      {of.omitted !== undefined && <p className="note">{bytes(of.omitted)}, left out here: see the run.</p>}
      {of.text !== '' && (of.role === 'tool' ? <Value of={of.text} /> : <Prose text={of.text} />)}
      {of.calls.map((call) => <div key={call.id} className="diff-call"><code>{call.name}</code><Value of={call.arguments} /></div>)}
    </article>
  );
}

function Row({ row }: { row: DiffRow }) {
  return (
    <li className={row.same ? 'diff-row same' : 'diff-row'}>
      {row.same && <p className="note">the same words</p>}
      <Said of={row.a} side="A" />
      <Said of={row.b} side="B" />
    </li>
  );
}

function Facts({ a, b }: { a: Side & { run: string }; b: Side & { run: string } }) {
  const facts = factsOf(a, b, (status) => wordOf(status, RUN_WORDS));
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="How they stand">
      <table className="diff-facts">
        <thead>
          <tr><th scope="col"><span className="visually-hidden">What</span></th>{[a, b].map((side, at) => <th key={at} scope="col">{at === 0 ? 'A' : 'B'} {side.run}</th>)}</tr>
        </thead>
        <tbody>
          {facts.map((fact) => (
            <tr key={fact.name} className={fact.differs ? 'differs' : undefined}><th scope="row">{fact.name}{fact.differs && <span className="visually-hidden">, differs</span>}</th><td>{fact.a}</td><td>{fact.b}</td></tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Calls({ made }: { made: Made[] }) {
  if (made.length === 0) return null;
  const words = ({ a, b }: Made) => (a === b ? `both${a > 1 ? `, ${a} times` : ''}` : a === 0 ? `B alone${b > 1 ? `, ${b} times` : ''}` : b === 0 ? `A alone${a > 1 ? `, ${a} times` : ''}` : `A ${a} times, B ${b} times`);
  return (
    <section aria-label="Calls">
      <h2>Calls behind it</h2>
      <ul className="diff-calls">{made.map((one) => <li key={`${one.tool} ${one.sha256}`}><code>{one.tool}</code> <span className={one.a === one.b ? 'note' : ''}>{words(one)}</span> <span className="note" title={one.sha256}>arguments {one.sha256.slice(0, 8)}</span></li>)}</ul>
    </section>
  );
}

export function RunDiff({ id, other }: { id: string; other: string }) {
  useTitle(`${id}, ${other} \u00B7 What is different`);
  const query = useInfiniteQuery(runDiffQuery(id, other));
  const { rows, made } = useMemo(() => {
    const pages = query.data?.pages ?? [];
    const of = (side: 'a' | 'b') => pages.flatMap((page) => page[side].messages.map(messageOf));
    const calls = (side: 'a' | 'b') => pages.flatMap((page) => page[side].tool_calls);
    return { rows: rowsOf(of('a'), of('b')), made: callsOf(calls('a'), calls('b')) };
  }, [query.data]);
  const first = query.data?.pages[0];
  return (
    <div className="screen run-diff">
      <div className="title"><h1>What is different</h1></div>
      <p className="note">between <Link to="/runs/$id" params={{ id }}><code>{id}</code></Link> and <Link to="/runs/$id" params={{ id: other }}><code>{other}</code></Link></p>
      <QueryState of={query} loading="The runs are being compared." />
      {first && (
        <>
          <Facts a={first.a} b={first.b} />
          <p className="diff-common" role="status">{first.common.messages === 0 ? 'They have no message in common.' : `The first ${plural(first.common.messages, 'message')} are of both: shared, and done once.`}</p>
          {rows.length === 0 && <p className="empty">Behind it neither has said anything.</p>}
          <ol className="diff-rows">{rows.map((row) => <Row key={row.key} row={row} />)}</ol>
          {query.hasNextPage && <button className="button quiet" disabled={query.isFetchingNextPage} onClick={() => void settled(runDiffQuery(id, other).queryKey).then(() => query.fetchNextPage())}>What comes behind these</button>}
          <Calls made={made} />
        </>
      )}
    </div>
  );
}
