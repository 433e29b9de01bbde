// Items of the transcript. Whatever models, tools and people wrote is text.

import { lazy, Suspense, useMemo } from 'react';
import { Link } from '@tanstack/react-router';
import { type Fields, fieldsOf, numberOf, textOf } from '../../model/events';
import type { EndItem, InputItem, MessageItem, NoteItem, StepItem } from '../../model/run_log';
import { bytes, dollars, duration, momentOf, parsed, plural } from '../../model/text';
import { Chip } from '../../ui/chip';
import { Value } from '../../ui/value';
import { ItemRuns } from './item_runs';

const PlainText = ({ text }: { text: string }) => <p className="prose plain">{text}</p>;

// Without its form, where that cannot be loaded: a server that dies at that moment takes no text away.
const Markdown = lazy(() => import('../../ui/markdown').catch(() => ({ default: PlainText })));

// Longer text is shown a part at a time: laying all of it out would stop the page.
const MAX_PROSE = 100_000;

// The text itself stands there until its form is loaded.
export function Prose({ text, live = false }: { text: string; live?: boolean }) {
  if (text.length > MAX_PROSE) return <Value of={text} />;
  return <Suspense fallback={<PlainText text={text} />}><Markdown text={text} live={live} /></Suspense>;
}

const Plain = ({ text }: { text: string }) => (text.length > MAX_PROSE ? <Value of={text} /> : <PlainText text={text} />);

export function InputView({ item }: { item: InputItem }) {
  return <article className="say user" aria-label="Input"><Plain text={item.text} /></article>;
}

export function MessageView({ item }: { item: MessageItem }) {
  return (
    <article className="say user message" aria-label={`Message${item.by ? ` of ${item.by}` : ''}`}>
      <Plain text={item.text} />
      <p className="note">{item.by}{item.seen ? '' : ' (not read yet)'}</p>
    </article>
  );
}

const NOTE_WORDS: Record<string, string> = {
  'run.waiting': 'waits for its turn', 'run.superseded': 'a newer run took its place', 'run.batched': 'another run does it with others',
  'step.detached': 'goes on by itself', 'plan.stage': 'plan', 'run.paused': 'paused', 'run.parked': 'parked', 'run.resumed': 'goes on', 'run.forked': 'another run goes on from here',
  'effect.reconciled': 'an effect was reconciled', 'effect.undone': 'undone', 'effect.not_undone': 'not undone',
  'approval.counted': 'decided', 'approval.escalated': 'nobody has decided: others may as well', 'approval.applied': 'allowed for the whole run before',
  'policy.ruled': 'the policy says',
};

// How many of the people who are needed have decided.
const counted = (data: Fields) => (data['need'] === undefined ? '' : `${textOf(data['have'])} of ${textOf(data['need'])}`);

export function NoteView({ item }: { item: NoteItem }) {
  const { data } = item;
  const more = [textOf(data['action']), counted(data), textOf(data['tool']), textOf(data['name']), textOf(data['stage']), textOf(data['reason']), textOf(data['error']), textOf(data['why']), textOf(data['behind'])].filter(Boolean).join(': ');
  return (
    <p className="note line"><span>{NOTE_WORDS[item.type] ?? item.type}{data['by'] ?? data['allowed_by'] ? ` by ${textOf(data['by'] ?? data['allowed_by'])}` : ''}{more ? `: ${more}` : ''}</span> <time dateTime={item.at} title={momentOf(Date.parse(item.at))}>{new Date(item.at).toLocaleTimeString()}</time></p>
  );
}

function Retried({ item }: { item: StepItem }) {
  const error = textOf(item.data['error']);
  const attempt = numberOf(item.data['attempt']) ?? 1;
  return (
    <>
      {item.stream?.replaced && <p className="note retrying">a new attempt replaced what an earlier one had said</p>}
      {item.status === 'retrying' && <p className="note retrying">will be tried again{error ? `: ${error}` : ''}</p>}
      {item.status === 'failed' && <p className="note failed">failed{error ? `: ${error}` : ''}</p>}
      {item.status === 'stopped' && <p className="note">stopped</p>}
      {item.status === 'completed' && attempt > 1 && <p className="note">{plural(attempt, 'attempt')}</p>}
    </>
  );
}

function Spent({ item }: { item: StepItem }) {
  const usage = fieldsOf(item.data['usage']);
  const tokens = (numberOf(usage['input_tokens']) ?? 0) + (numberOf(usage['output_tokens']) ?? 0);
  const cost = item.data['cost'];
  const usd = textOf(fieldsOf(cost)['usd']) || (typeof cost === 'string' ? cost : '');
  if (!tokens) return null;
  return <p className="note spent">{item.name} {'\u00B7'} {plural(tokens, 'token')}{usd ? ` \u00B7 ${dollars(usd)}` : ''} {'\u00B7'} {duration(item.startedAt, item.endedAt)}</p>;
}

export function ModelView({ item }: { item: StepItem }) {
  const live = item.status === 'running' || item.status === 'retrying';
  const text = item.stream ? item.stream.text : textOf(item.data['text']);
  return (
    <article className={`say model ${item.status}`} aria-label={`Step ${item.step}: model`} aria-busy={live}>
      {text && <Prose text={text} live={live} />}
      {live && <span className="caret" aria-label="is writing" role="img" />}
      <Retried item={item} />
      <Spent item={item} />
    </article>
  );
}

export function ToolView({ run, item }: { run: string; item: StepItem }) {
  const bad = item.status === 'failed' || item.data['is_error'] === true;
  const output = fieldsOf(item.data['output']);
  const size = numberOf(output['bytes']) ?? 0;
  const child = textOf(item.data['run']);
  const log = textOf(item.data['log']);
  const { result } = item.data;
  return (
    <article className={`tool ${bad ? 'bad' : item.status}`} aria-label={`Step ${item.step}: ${item.name || item.tool}${item.within === undefined ? '' : `, called by step ${item.within}`}`}>
      <header><span className="kind">{item.tool}</span><strong>{item.name}</strong><Chip status={bad ? 'failed' : item.status} />{item.endedAt && <span className="note">{duration(item.startedAt, item.endedAt)}</span>}</header>
      {item.data['arguments'] !== undefined && <Value of={item.data['arguments']} />}
      {child && <p className="note">its own run: <Link to="/runs/$id" params={{ id: child }}>{child}</Link></p>}
      <Retried item={item} />
      <ItemRuns step={item} run={run} block={item.name} />
      {result !== undefined && (
        <details className="result" open={bad || textOf(result).length < 400}><summary>{bad ? 'Error' : 'Result'}</summary><Value of={result} /></details>
      )}
      {log && <details className="result"><summary>Log</summary><pre className="value" tabIndex={0} role="group" aria-label="Log">{log}</pre></details>}
      {item.data['output'] !== undefined && (
        <p className="note"><a href={`/api/v1/runs/${encodeURIComponent(run)}/steps/${item.step}/output`} download>all of it as a file</a>{size ? ` (${bytes(size)})` : ''}</p>
      )}
    </article>
  );
}

export function StepView({ run, item }: { run: string; item: StepItem }) {
  return item.tool === 'model' ? <ModelView item={item} /> : <ToolView run={run} item={item} />;
}

export function EndView({ item, output }: { item: EndItem; output: unknown }) {
  const good = item.status === 'completed';
  const whole = good && output !== null && output !== undefined && output !== '' ? output : item.text;
  const value = useMemo(() => parsed(whole), [whole]);
  return (
    <article className={`end ${item.status}`} aria-label={good ? 'Result' : 'End'}>
      <header><Chip status={item.status} />{good && <strong>Result</strong>}{item.errorType && <code>{item.errorType}</code>}</header>
      {whole !== '' && (good && typeof value === 'string' ? <Prose text={value} /> : typeof value === 'string' ? <p className="prose plain">{value}</p> : <Value of={value} />)}
      {typeof whole === 'string' && whole.length > MAX_PROSE && <Download text={whole} />}
    </article>
  );
}

// What is on this page already, as a file.
function Download({ text }: { text: string }) {
  const save = () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
    link.download = 'result.txt';
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return <p><button className="button small" onClick={save}>All of it as a file ({plural(text.length, 'character')})</button></p>;
}
