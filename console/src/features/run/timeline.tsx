// Steps, and the time that people took, as bars over the time of the run. The list says the same in words.

import { memo } from 'react';
import { fieldsOf, numberOf } from '../../model/events';
import type { RunLog } from '../../model/run_log';
import { duration, plural } from '../../model/text';
import { timelineOf, type TimelineRow } from '../../model/timeline';

const SHOWN = 200;

const Row = memo(function Row({ row, from, span, chosen, onStep }: { row: TimelineRow; from: number; span: number; chosen: boolean; onStep: (step: number) => void }) {
  const left = Math.min(98.5, (100 * (row.from - from)) / span);
  const width = Math.min(100 - left, Math.max(1.5, (100 * (row.to - row.from)) / span));
  const usage = fieldsOf(row.data['usage']);
  const tokens = (numberOf(usage['input_tokens']) ?? 0) + (numberOf(usage['output_tokens']) ?? 0);
  return (
    <li className={row.within === undefined ? undefined : 'inner'}>
      <button type="button" onClick={() => onStep(row.step)} aria-current={chosen ? 'step' : undefined}>
        <span className="step-name" title={row.by}>{row.step}. {row.name}</span>
        <span className="step-time">{row.attempts > 1 ? `${row.attempts} attempts, ` : ''}{duration(row.startedAt, row.endedAt || undefined)}</span>
        {tokens > 0 && <span className="step-tokens">{plural(tokens, 'token')}</span>}
        <span className="track" aria-hidden="true"><span className={`span ${row.status}`} style={{ left: `${left}%`, width: `${width}%` }} /></span>
        <span className="visually-hidden">{row.status}{row.within === undefined ? '' : `, called by step ${row.within}`}</span>
      </button>
    </li>
  );
});

export function Timeline({ log, step, onStep }: { log: RunLog; version: number; step: number | undefined; onStep: (step: number | undefined) => void }) {
  const { rows, total, from, to } = timelineOf(log, Date.now(), SHOWN);
  return (
    <section aria-label="Timeline">
      <h2>Timeline</h2>
      {rows.length === 0 && <p className="empty">No steps yet.</p>}
      {total > rows.length && <p className="note">The newest {rows.length} of {plural(total, 'row')}</p>}
      <ol className="timeline">
        {rows.map((row) => <Row key={row.key} row={row} from={from} span={to - from} chosen={row.step === step} onStep={onStep} />)}
      </ol>
    </section>
  );
}
