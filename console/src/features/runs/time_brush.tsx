// How many runs began when, by how they stand; drawing over it chooses a time.

import { useMemo, useRef, useState, type PointerEvent } from 'react';
import type { RunSummary } from '../../api/client';
import { GROUPS, binsOf, type Bin, type Group, type TimeRange } from '../../model/histogram';
import { standingOf } from '../../model/standing';
import { plural } from '../../model/text';

const WIDTH = 10; // of a bin
const HEIGHT = 56;
const WORDS: Record<Group, string> = { completed: 'completed', open: 'running', waiting: 'waiting', failed: 'failed', stopped: 'stopped' };

const iso = (at: number): string => new Date(at).toISOString();
const when = (at: number): string => new Date(at).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' });
const pad = (part: number): string => String(part).padStart(2, '0');

// What a field of local time takes.
function local(time: string | undefined): string {
  if (!time) return '';
  const at = new Date(time);
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

function Bar({ bin, x, most, dim }: { bin: Bin; x: number; most: number; dim: boolean }) {
  let below = 0;
  return (
    <g className={dim ? 'dim' : undefined}>
      <title>{`${when(bin.from)}: ${plural(bin.total, 'run')}`}</title>
      <rect className="space" x={x} y={0} width={WIDTH} height={HEIGHT} />
      {GROUPS.filter((group) => bin.counts[group] > 0).map((group) => {
        const height = (bin.counts[group] / most) * (HEIGHT - 2);
        below += height;
        return <rect key={group} className={`bar-${group}`} x={x + 0.75} y={HEIGHT - below} width={WIDTH - 1.5} height={height} />;
      })}
    </g>
  );
}

function Histogram({ bins, range, says, onRange }: { bins: Bin[]; range: TimeRange; says: string; onRange: (range: TimeRange) => void }) {
  const picture = useRef<SVGSVGElement>(null);
  const [drawn, setDrawn] = useState<[number, number] | null>(null);
  const most = Math.max(...bins.map((bin) => bin.total));
  const [from, to] = [range.from ? Date.parse(range.from) : -Infinity, range.to ? Date.parse(range.to) : Infinity];
  const indexOf = (event: PointerEvent) => {
    const box = picture.current!.getBoundingClientRect();
    return Math.min(bins.length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * bins.length)));
  };
  const isIn = (bin: Bin, i: number) => (drawn ? i >= Math.min(...drawn) && i <= Math.max(...drawn) : bin.to > from && bin.from < to);
  const totals = GROUPS.map((group) => [group, bins.reduce((sum, bin) => sum + bin.counts[group], 0)] as const).filter(([, count]) => count > 0);
  return (
    <>
      <svg ref={picture} className="histogram" viewBox={`0 0 ${bins.length * WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img"
        aria-label={`${says}, from ${when(bins[0]!.from)} to ${when(bins.at(-1)!.to)}: ${totals.map(([group, count]) => `${count} ${WORDS[group]}`).join(', ')}`}
        onPointerDown={(event) => { event.currentTarget.setPointerCapture?.(event.pointerId); const at = indexOf(event); setDrawn([at, at]); }}
        onPointerMove={(event) => { if (drawn) setDrawn([drawn[0], indexOf(event)]); }}
        onPointerCancel={() => setDrawn(null)}
        onPointerUp={(event) => {
          if (!drawn) return;
          const at = indexOf(event);
          setDrawn(null);
          onRange({ from: iso(bins[Math.min(drawn[0], at)]!.from), to: iso(bins[Math.max(drawn[0], at)]!.to) });
        }}>
        {bins.map((bin, i) => <Bar key={bin.from} bin={bin} x={i * WIDTH} most={most} dim={!isIn(bin, i)} />)}
      </svg>
      <p className="histogram-ends note" aria-hidden="true">
        <span>{when(bins[0]!.from)}</span>
        <span className="histogram-key">{says}{totals.map(([group, count]) => <span key={group} className={`key-${group}`}>{count.toLocaleString('en')} {WORDS[group]}</span>)}</span>
        <span>{when(bins.at(-1)!.to)}</span>
      </p>
    </>
  );
}

// The same by keyboard.
export function TimeFields({ range, onRange }: { range: TimeRange; onRange: (range: TimeRange) => void }) {
  const change = (part: 'from' | 'to', typed: string) => onRange({ ...range, [part]: typed === '' || Number.isNaN(Date.parse(typed)) ? undefined : iso(Date.parse(typed)) });
  const chosen = Boolean(range.from || range.to);
  return (
    <details className="times">
      <summary className="button quiet">{chosen ? `${range.from ? when(Date.parse(range.from)) : 'the beginning'} to ${range.to ? when(Date.parse(range.to)) : 'now'}` : 'Any time'}</summary>
      <div className="time-fields">
        <label>From <input id="filter-from" type="datetime-local" step={1} value={local(range.from)} onChange={(event) => change('from', event.target.value)} /></label>
        <label>To <input id="filter-to" type="datetime-local" step={1} value={local(range.to)} onChange={(event) => change('to', event.target.value)} /></label>
        {chosen && <button className="button small" onClick={() => onRange({ from: undefined, to: undefined })}>Any time</button>}
      </div>
    </details>
  );
}

// `onOlder` loads runs from before those that are there; absent: these are all.
export function TimeBrush({ runs, onOlder, range, onRange }: { runs: readonly RunSummary[]; onOlder: (() => void) | undefined; range: TimeRange; onRange: (range: TimeRange) => void }) {
  const bins = useMemo(() => binsOf(runs, (run) => standingOf(run).status), [runs]);
  if (bins.length === 0) return null;
  return (
    <div className="brush">
      <Histogram bins={bins} range={range} onRange={onRange} says={onOlder ? `the newest ${plural(runs.length, 'run')}` : plural(runs.length, 'run')} />
      {onOlder && <button className="button small quiet" onClick={onOlder}>Further back</button>}
    </div>
  );
}
