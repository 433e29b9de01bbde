// Bars by day. What the canvas shows stands in a table, too.

import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { DayPoint, Measure } from '../../model/usage';

const HEIGHT = 200;

// A canvas knows no tokens: the colour that one has here and now.
function colourOf(element: HTMLElement, token: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${token})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

const usd = (value: number): string => `$${value.toLocaleString('en', { maximumSignificantDigits: 4, notation: value !== 0 && value < 1e-4 ? 'scientific' : 'standard' })}`;

function options(host: HTMLElement, measure: Measure): uPlot.Options {
  const [line, soft, accent] = [colourOf(host, '--line'), colourOf(host, '--soft'), colourOf(host, '--accent')];
  const words = measure === 'cost' ? usd : (value: number) => value.toLocaleString('en', { notation: 'compact' });
  const axis: uPlot.Axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: '12px system-ui, sans-serif' };
  return {
    width: Math.max(240, host.clientWidth), height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { setScale: false, x: false } },
    scales: { x: { time: true, range: (_, from, to) => [from - 43_200, to + 43_200] }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
    axes: [{ ...axis, size: 34, grid: { show: false }, values: (_, splits) => splits.map((at) => new Date(at * 1000).toISOString().slice(5, 10)), incrs: [1, 2, 7, 14, 30, 90, 365].map((days) => days * 86_400) }, { ...axis, size: 72, values: (_, splits) => splits.map(words) }],
    series: [{}, { stroke: accent, fill: accent, width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.7, 40], align: 0 }) }],
  };
}

export default function Chart({ points, measure }: { points: DayPoint[]; measure: Measure }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = host.current!;
    let plot: uPlot | undefined;
    const draw = () => {
      plot?.destroy();
      plot = new uPlot(options(element, measure), [points.map((point) => point.at / 1000), points.map((point) => (measure === 'cost' ? point.usd : point.tokens))], element);
    };
    draw();
    const resized = new ResizeObserver(() => plot?.setSize({ width: Math.max(240, element.clientWidth), height: HEIGHT }));
    resized.observe(element);
    const chosen = new MutationObserver(draw);
    chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', draw);
    return () => {
      resized.disconnect();
      chosen.disconnect();
      system.removeEventListener('change', draw);
      plot?.destroy();
    };
  }, [points, measure]);
  return <div ref={host} className="chart-space" />;
}
