// How many runs began when, by how they stand; drawing over it chooses a time.

import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState, type PointerEvent } from 'react';
import { followHistogram, histogramQuery, type RunFilter } from '../../api/queries';
import { GROUPS, binsOf, isIn, windowOf, type Bin, type Group, type TimeRange } from '../../model/histogram';
import { wordsOf } from '../../model/problem';
import { momentOf, plural, rangeWords } from '../../model/text';

const WIDTH = 10; // of a bin
const HEIGHT = 56;
const WORDS: Record<Group, string> = { completed: 'completed', open: 'running', waiting: 'waiting', failed: 'failed', stopped: 'stopped' };

const iso = (at: number): string => new Date(at).toISOString();
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
      <title>{`${momentOf(bin.from)}: ${plural(bin.total, 'run')}`}</title>
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
  const most = Math.max(1, ...bins.map((bin) => bin.total));
  const indexOf = (event: PointerEvent) => {
    const box = picture.current!.getBoundingClientRect();
    return Math.min(bins.length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * bins.length)));
  };
  const chosen = isIn(range);
  const isLit = (bin: Bin, i: number) => (drawn ? i >= Math.min(...drawn) && i <= Math.max(...drawn) : chosen(bin));
  const shown = bins.filter(chosen);
  const totals = GROUPS.map((group) => [group, shown.reduce((sum, bin) => sum + bin.counts[group], 0)] as const).filter(([, count]) => count > 0);
  return (
    <>
      <svg ref={picture} className="histogram" viewBox={`0 0 ${bins.length * WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img"
        aria-label={`${says}, from ${momentOf(bins[0]!.from)} to ${momentOf(bins.at(-1)!.to)}: ${totals.map(([group, count]) => `${count} ${WORDS[group]}`).join(', ')}`}
        onPointerDown={(event) => { event.currentTarget.setPointerCapture?.(event.pointerId); const at = indexOf(event); setDrawn([at, at]); }}
        onPointerMove={(event) => { if (drawn) setDrawn([drawn[0], indexOf(event)]); }}
        onPointerCancel={() => setDrawn(null)}
        onPointerUp={(event) => {
          if (!drawn) return;
          const at = indexOf(event);
          setDrawn(null);
          onRange({ from: iso(bins[Math.min(drawn[0], at)]!.from), to: iso(bins[Math.max(drawn[0], at)]!.to) });
        }}>
        {bins.map((bin, i) => <Bar key={bin.from} bin={bin} x={i * WIDTH} most={most} dim={!isLit(bin, i)} />)}
      </svg>
      <p className="histogram-ends note" aria-hidden="true">
        <span>{momentOf(bins[0]!.from)}</span>
        <span className="histogram-key">{says}{totals.map(([group, count]) => <span key={group} className={`key-${group}`}>{count.toLocaleString('en')} {WORDS[group]}</span>)}</span>
        <span>{momentOf(bins.at(-1)!.to)}</span>
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
      <summary className="button quiet">{chosen ? rangeWords(range) : 'Any time'}</summary>
      <div className="time-fields">
        <label>From <input id="filter-from" type="datetime-local" step={1} value={local(range.from)} onChange={(event) => change('from', event.target.value)} /></label>
        <label>To <input id="filter-to" type="datetime-local" step={1} value={local(range.to)} onChange={(event) => change('to', event.target.value)} /></label>
        {chosen && <button className="button small" onClick={() => onRange({ from: undefined, to: undefined })}>Any time</button>}
      </div>
    </details>
  );
}

export function TimeBrush({ view, onRange }: { view: RunFilter; onRange: (range: TimeRange) => void }) {
  const { from, to, agent, status } = view;
  const { data, error } = useQuery(histogramQuery(agent, windowOf({ from, to })));
  useEffect(followHistogram, []);
  const bins = useMemo(() => (data ? binsOf(data, status, !from && !to) : []), [data, status, from, to]);
  if (error) return <p className="problem" role="alert">{wordsOf(error)}</p>;
  // Where nothing is counted there is nothing to choose from, unless something was chosen.
  if (bins.length === 0 || (data?.total === 0 && !from && !to)) return null;
  return (
    <div className="brush">
      <Histogram bins={bins} range={view} onRange={onRange} says={plural(bins.filter(isIn({ from, to })).reduce((sum, bin) => sum + bin.total, 0), 'run')} />
    </div>
  );
}
