// Who runs, how it stands, what it has used, and what can be done with it.

import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { answered, api, type Run } from '../../api/client';
import { queryClient } from '../../api/queries';
import { flowOfAgent, isFlow } from '../../model/flow';
import type { Parent } from '../../model/item_runs';
import { wordsOf } from '../../model/problem';
import type { RunLog } from '../../model/run_log';
import type { Standing } from '../../model/standing';
import { dollars, duration, plural } from '../../model/text';
import { Chip, RUN_WORDS } from '../../ui/chip';
import { Copy } from '../../ui/copy';
import { useKeys } from '../../ui/use_keys';
import { Ago } from '../../ui/when';
import { author } from '../../api/session';
import { EndDialog, type EndAction } from './end_dialog';

function Age({ from, to }: { from: string; to: string }) {
  const [, tick] = useState(0);
  useEffect(() => {
    if (to) return;
    const timer = setInterval(() => { if (!document.hidden) tick((n) => n + 1); }, 1000);
    return () => clearInterval(timer);
  }, [to]);
  return <span>{to ? `took ${duration(from, to)}` : `for ${duration(from)}`}</span>;
}

function VersionLink({ agent, version }: { agent: string; version: string }) {
  const words = version.slice(0, 12);
  return isFlow(agent)
    ? <Link to="/flows/$name" params={{ name: flowOfAgent(agent) }} search={{ version }}>{words}</Link>
    : <Link to="/agents/$name" params={{ name: agent }} search={{ version }}>{words}</Link>;
}

// The run that called this one, or goes over what it is an item of.
function Above({ of }: { of: Parent }) {
  return <span>{of.of === undefined ? 'called by ' : `item ${of.index} of ${of.of}, in `}<Link to="/runs/$id" params={{ id: of.run }} search={{ step: of.step }}>{of.run}</Link></span>;
}

function Facts({ id, run, log }: { id: string; run: Run | undefined; log: RunLog }) {
  const began = run?.started_at || log.startedAt;
  const usage = run?.usage;
  const cost = (run?.spent ?? usage)?.cost;
  return (
    <p className="facts">
      <span className="run-id"><code title={id}>{id}</code><Copy text={id} what="the id" /></span>
      {log.parent && <Above of={log.parent} />}
      {began && <span>started <Ago at={began} /></span>}
      {began && <Age from={began} to={log.endedAt || run?.closed_at || ''} />}
      {usage?.model_calls ? <span>{plural(usage.model_calls, 'model call')}</span> : null}
      {usage?.model_calls ? <span>{plural((usage.input_tokens ?? 0) + (usage.output_tokens ?? 0), 'token')}</span> : null}
      {usage?.model_calls ? <span title={cost?.price_as_of ? `prices of ${cost.price_as_of}` : undefined}>{cost?.usd ? dollars(cost.usd) : 'unpriced'}</span> : null}
      {run && !isFlow(run.agent) && <Link to="/chat/$conversation" params={{ conversation: run.conversation || id }}>conversation</Link>}
      {run?.version && <span title={run.version}>version <VersionLink agent={run.agent} version={run.version} /></span>}
      {run?.hold?.reason && <span className="held">{run.hold.by ? `${run.hold.by}: ` : ''}{run.hold.error ? String((run.hold.error as { message?: string }).message ?? run.hold.reason) : run.hold.reason}</span>}
    </p>
  );
}

const act = (id: string, action: 'pause' | 'resume') => {
  const asked = { params: { path: { id } }, body: { by: author() } };
  return action === 'pause' ? answered<unknown>(api.POST('/api/v1/runs/{id}/pause', asked)) : answered<unknown>(api.POST('/api/v1/runs/{id}/resume', asked));
};

// What a flow does not know: being paused.
function Actions({ id, standing, ofFlow }: { id: string; standing: Standing; ofFlow: boolean }) {
  const [ending, setEnding] = useState<EndAction | null>(null);
  const [cancelled, setCancelled] = useState(false);
  const mutation = useMutation({
    mutationFn: (action: 'pause' | 'resume') => act(id, action),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: ['run', id] }),
  });
  const held = standing.status === 'paused' || standing.status === 'parked';
  useKeys(held ? [{ keys: 'r', says: 'Resume the run', run: () => mutation.mutate('resume') }] : []);
  const hold = (action: 'pause' | 'resume', text: string, look: string) => (
    <button className={`button small ${look}`} disabled={mutation.isPending} onClick={() => mutation.mutate(action)}>{text}</button>
  );
  const end = (action: EndAction, text: string, look: string) => <button className={`button small ${look}`} onClick={() => setEnding(action)}>{text}</button>;
  return (
    <>
      {held ? hold('resume', 'Resume', 'primary') : !ofFlow && hold('pause', 'Pause', 'quiet')}
      {standing.status === 'parked' && end('fail', 'Fail run', 'danger')}
      {end('cancel', 'Cancel run', 'quiet')}
      {cancelled && end('terminate', 'Terminate at once', 'danger')}
      {mutation.isError && <p className="problem" role="alert">{wordsOf(mutation.error)}</p>}
      {ending && <EndDialog id={id} action={ending} onEnded={() => { if (ending === 'cancel') setCancelled(true); }} onClose={() => setEnding(null)} />}
    </>
  );
}

// What can be done with a run of an agent, open or over, that leaves it as it is.
function Anew({ standing, onReplay, onRetry }: Pick<HeadProps, 'standing' | 'onReplay' | 'onRetry'>) {
  return (
    <>
      {!standing.open && standing.status !== 'completed' && <button className="button small primary" onClick={onRetry}>Retry</button>}
      <button className="button small quiet" onClick={onReplay}>Fork or replay</button>
    </>
  );
}

interface HeadProps { id: string; run: Run | undefined; log: RunLog; standing: Standing; onReplay: () => void; onRetry: () => void; onUndo: () => void }

export function RunHead({ id, run, log, standing, onReplay, onRetry, onUndo }: HeadProps) {
  const agent = run?.agent || log.agent;
  const ofFlow = isFlow(agent);
  return (
    <div className="head">
      <div className="title">
        {ofFlow && <span className="kind">flow</span>}
        <h1>{ofFlow ? flowOfAgent(agent) : agent || 'Run'}</h1>
        <Chip status={standing.status} words={RUN_WORDS} />
        <div className="run-actions">
          {standing.open && <Actions id={id} standing={standing} ofFlow={ofFlow} />}
          {run && !ofFlow && <Anew standing={standing} onReplay={onReplay} onRetry={onRetry} />}
          {run && !standing.open && <button className="button small quiet" onClick={onUndo}>Undo</button>}
        </div>
      </div>
      <Facts id={id} run={run} log={log} />
    </div>
  );
}
