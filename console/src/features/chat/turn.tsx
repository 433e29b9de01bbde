// One turn of a conversation: a run, as its log tells it. The log of one that is under way comes over the stream; the log
// of one that is over is read once.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { memo, useEffect, useRef } from 'react';
import { toldQuery, type Told } from '../../api/chat';
import { runQuery } from '../../api/queries';
import { saidOf, type Turn } from '../../model/chat';
import { textOf } from '../../model/events';
import { wordsOf } from '../../model/problem';
import type { ApprovalItem, Item, StepItem } from '../../model/run_log';
import { plainText } from '../../model/text';
import { announce } from '../../ui/announce';
import { Chip, wordOf } from '../../ui/chip';
import { ApprovalView } from '../run/approval';
import { EndView, InputView, MessageView, ModelView, NoteView, ToolView } from '../run/items';
import { useRunLog } from '../use_live';

function useTold(turn: Turn, watched: boolean): { told: Told | undefined; error: unknown } {
  const last = useRef<Told | null>(null); // of one that was watched to its end
  const [log, version] = useRunLog(watched ? turn.run : undefined);
  const before = useRef<{ version: number; closed: string } | null>(null);
  useEffect(() => {
    if (!watched) return;
    if (log.closed && before.current && before.current.version > 0 && !before.current.closed) announce(log.closed === 'completed' ? 'the agent has answered' : `the turn is over: ${wordOf(log.closed)}`);
    before.current = { version, closed: log.closed };
    if (log.closed) last.current = { items: log.items, closed: log.closed, cut: false };
  }, [watched, log, version]);
  const here: Told | null = watched ? { items: log.items, closed: log.closed, cut: false } : last.current;
  const stored = useQuery({ ...toldQuery(turn.run), enabled: !watched && !here && !turn.waits });
  return { told: here ?? stored.data, error: stored.error };
}

function ToolFold({ run, item }: { run: string; item: StepItem }) {
  const status = item.data['is_error'] === true ? 'failed' : item.status;
  return (
    <details className="fold">
      <summary><span className="kind">{item.tool}</span> <code>{item.name || item.tool}</code> <Chip status={status} /></summary>
      <ToolView run={run} item={item} />
    </details>
  );
}

function ApprovalFold({ run, item }: { run: string; item: ApprovalItem }) {
  const by = textOf(item.data['decided_by']);
  return (
    <details className="fold">
      <summary><span className="kind">approval</span> <code>{item.tool}</code> <Chip status={item.status} />{by && <span className="note">by {by}</span>}</summary>
      <ApprovalView run={run} item={item} />
    </details>
  );
}

const Said = memo(function Said({ run, item }: { run: string; item: Item }) {
  switch (item.kind) {
    case 'input': return <InputView item={item} />;
    case 'message': return <MessageView item={item} />;
    case 'approval': return item.status === 'pending' ? <ApprovalView run={run} item={item} /> : <ApprovalFold run={run} item={item} />;
    case 'note': return <NoteView item={item} />;
    case 'end': return <EndView item={item} output={undefined} />;
    case 'step': return item.tool === 'model' ? <ModelView item={item} /> : <ToolFold run={run} item={item} />;
  }
});

export function TurnView({ turn, watched }: { turn: Turn; watched: boolean }) {
  const { told, error } = useTold(turn, watched);
  const items = told?.items ?? [];
  const shown = saidOf(items);
  const begun = items.some((item) => item.kind === 'input');
  const queued = useQuery({ ...runQuery(turn.run), enabled: turn.waits && !watched && turn.text === undefined });
  const text = turn.text ?? (queued.data ? plainText(queued.data.input) : undefined);
  return (
    <div className="turn" role="group" data-run={turn.run} aria-label="Turn">
      {!begun && text !== undefined && <article className="say user" aria-label="Input"><p className="prose plain">{text}</p></article>}
      {shown.map((item) => <div key={item.key} className="item"><Said run={turn.run} item={item} /></div>)}
      {error !== null && error !== undefined && <p className="problem" role="alert">{wordsOf(error)}</p>}
      {told && !begun && text === undefined && !turn.waits && <p className="note">What was said in this turn is not kept any more.</p>}
      {turn.waits && !begun && <p className="note">waits for its turn</p>}
      <p className="note turn-run"><Link to="/runs/$id" params={{ id: turn.run }}>{told?.cut ? 'The rest of this turn' : 'Steps and costs'}</Link></p>
    </div>
  );
}
