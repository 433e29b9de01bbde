// The run as it reads. Of a long one the newest part; what was before comes when it is asked for.

import { memo, useEffect, useLayoutEffect, useState } from 'react';
import type { Run } from '../../api/client';
import { canFork } from '../../model/forks';
import type { Item, RunLog } from '../../model/run_log';
import { plural } from '../../model/text';
import { useKeys } from '../../ui/use_keys';
import { ForkedFrom } from '../forks/forked_from';
import { Here } from '../forks/here';
import { ApprovalView } from './approval';
import { EndView, InputView, MessageView, NoteView, StepView } from './items';

const SHOWN = 200;
const NEAR_END = 160; // pixels: who is that near reads along

// Behind all that is said, and what is written to the run: see run_screen.tsx.
export const END_MARK = 'end-of-transcript';
const endMark = () => document.getElementById(END_MARK);

const ItemView = memo(function ItemView({ run, item, output }: { run: string; item: Item; output: unknown }) {
  switch (item.kind) {
    case 'input': return <InputView item={item} />;
    case 'message': return <MessageView item={item} />;
    case 'approval': return <ApprovalView run={run} item={item} />;
    case 'note': return <NoteView item={item} />;
    case 'end': return <EndView item={item} output={output} />;
    case 'step': return <StepView run={run} item={item} />;
  }
});

interface Props {
  log: RunLog;
  run: Run | undefined;
  version: number;
  step: number | undefined;
  onStep: (step: number | undefined) => void;
  onFork: ((from: Item) => void) | undefined; // absent: nothing is forked here
}

// What one reads of an item's place, where a fork may begin.
const hereWords = (item: Item): string => (item.kind === 'step' ? `step ${item.step}` : item.kind === 'message' ? 'this message' : 'the beginning');

export function Transcript({ log, run, version, step, onStep, onFork }: Props) {
  const [count, setCount] = useState(SHOWN);
  const [following, setFollowing] = useState(true);
  const items = log.items;
  const first = Math.max(0, items.length - count);

  // Who reads the end goes on reading the end; who reads elsewhere is left there.
  useEffect(() => {
    const look = () => setFollowing((endMark()?.getBoundingClientRect().top ?? 0) - innerHeight < NEAR_END);
    addEventListener('scroll', look, { passive: true });
    return () => removeEventListener('scroll', look);
  }, []);
  useLayoutEffect(() => {
    if (following && step === undefined && !log.closed) endMark()?.scrollIntoView({ block: 'end' });
  }, [version, following, step, log]);

  // The step in the address, once it is there.
  const found = step === undefined ? -1 : items.findIndex((item) => item.kind === 'step' && item.step === step);
  useEffect(() => {
    if (found < 0) return;
    if (found < first) return setCount(items.length - found + 20);
    document.getElementById(`step-${step}`)?.scrollIntoView({ block: 'center' });
  }, [step, found < 0, found < first]);

  const steps = items.filter((item) => item.kind === 'step').map((item) => item.step);
  const move = (by: number) => {
    const at = step === undefined ? (by > 0 ? -1 : steps.length) : steps.indexOf(step);
    const next = steps[at + by];
    if (next !== undefined) onStep(next);
  };
  useKeys([
    { keys: ']', says: 'Next step', run: () => move(1) },
    { keys: '[', says: 'Step before', run: () => move(-1) },
    { keys: 'f', says: 'Follow what happens', run: () => { onStep(undefined); setFollowing(true); endMark()?.scrollIntoView({ block: 'end' }); } },
    { keys: 'b', says: 'Fork from the chosen step', run: () => { const chosen = items[found]; if (chosen && canFork(chosen)) onFork?.(chosen); } },
  ]);

  return (
    <div id="transcript" className="transcript" role="region" aria-label="Transcript">
      {first > 0 && <button className="button quiet" onClick={() => setCount(count + SHOWN)}>{plural(first, 'item')} before these</button>}
      {items.slice(first).map((item) => (
        <div key={item.key} id={item.kind === 'step' ? `step-${item.step}` : undefined} className={`item${item.within === undefined ? '' : ' inner'}${item.kind === 'step' && item.step === step ? ' chosen' : ''}`}>
          <ItemView run={log.run} item={item} output={item.kind === 'end' ? run?.output : undefined} />
          {item.kind === 'input' && run?.forked_from && <ForkedFrom id={run.id} from={run.forked_from} begun={items.some((one) => one.kind === 'step')} />}
          {run && onFork && canFork(item) && <Here words={hereWords(item)} onFork={() => onFork(item)} />}
        </div>
      ))}
      {items.length === 0 && <p className="empty">{run ? 'Nothing has happened yet.' : ''}</p>}
    </div>
  );
}
