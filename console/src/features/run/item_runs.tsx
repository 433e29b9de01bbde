// The runs of a map's items, or of a loop's rounds: how they stand, and the way to each. A map has many: a part is listed,
// and any of them is opened by its index.

import { Link, useNavigate } from '@tanstack/react-router';
import { useId, useState, type SyntheticEvent } from 'react';
import { itemRunId, itemRunsShown } from '../../model/item_runs';
import type { StepItem } from '../../model/run_log';
import { plural } from '../../model/text';
import { Chip } from '../../ui/chip';

const SHOWN = 50;

function OpenItem({ run, block, of }: { run: string; block: string; of: number }) {
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const id = useId();
  const open = (event: SyntheticEvent) => {
    event.preventDefault();
    void navigate({ to: '/runs/$id', params: { id: itemRunId(run, block, Number(typed)) } });
  };
  return (
    <form className="item-open" onSubmit={open}>
      <label htmlFor={id}>Item</label>
      <input id={id} type="number" min={0} max={of - 1} required value={typed} onChange={(event) => setTyped(event.target.value)} />
      <button className="button small">Open</button>
    </form>
  );
}

export function ItemRuns({ step, run, block }: { step: StepItem; run: string; block: string }) {
  const [most, setMost] = useState(SHOWN);
  const runs = step.itemRuns;
  if (!runs) return null;
  const { known, of } = runs;
  const shown = itemRunsShown(runs, step.endedAt !== '', most);
  return (
    <section className="item-runs" aria-label="Runs of its items">
      <p className="note">{known.size < of ? `${known.size} of ${plural(of, 'item')}` : plural(of, 'item')}, each a run of its own</p>
      <ul>
        {shown.map((one) => (
          <li key={one.index} data-item={one.index}><Link to="/runs/$id" params={{ id: one.run }}>item {one.index}</Link><Chip status={one.status} /></li>
        ))}
      </ul>
      {known.size > shown.length && <button type="button" className="button small quiet" onClick={() => setMost(most + SHOWN)}>More of them</button>}
      {of > SHOWN && <OpenItem run={run} block={block} of={of} />}
    </section>
  );
}
