import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import type { RunSummary } from '../../api/client';
import { standingOf } from '../../model/standing';
import { dollars, duration, lineText } from '../../model/text';
import { Chip, RUN_WORDS } from '../../ui/chip';
import { Ago } from '../../ui/when';
import { AgentName } from '../agents/agent_name';

export const RunRow = memo(function RunRow({ run }: { run: RunSummary }) {
  const { spent } = run;
  const tokens = spent ? (spent.input_tokens ?? 0) + (spent.output_tokens ?? 0) : 0;
  const began = run.started_at ?? run.created_at;
  return (
    <Link className="run" to="/runs/$id" params={{ id: run.id }} data-run={run.id}>
      <span className="run-status"><Chip status={standingOf(run).status} words={RUN_WORDS} /></span>
      <span className="run-agent" title={run.version ? `version ${run.version}` : undefined}><AgentName of={run.agent} /></span>
      <span className="run-input" title={run.id}>{lineText(run.input)}</span>
      <span className="run-number">{tokens ? tokens.toLocaleString('en') : ''}</span>
      <span className="run-number">{spent?.cost?.usd && (tokens > 0 || Number(spent.cost.usd) > 0) ? dollars(spent.cost.usd) : ''}</span>
      <span className="run-number">{run.closed_at ? duration(began, run.closed_at) : ''}</span>
      <Ago className="run-number" at={run.created_at} />
    </Link>
  );
});
