// Labels: which version each names. Promoting and rolling back move a label and nothing else.

import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { agentChanged, labelQuery, labelsQuery, moveLabel, rollBackLabel, type Label, type Move } from '../../api/agents';
import { wordsOf } from '../../model/problem';
import { announce } from '../../ui/announce';
import { Dialog } from '../../ui/dialog';
import { QueryState } from '../../ui/query_state';
import { Ago } from '../../ui/when';

const HOW: Record<string, string> = { set: 'set', promoted: 'promoted', rolled_back: 'rolled back' };

function Moves({ name, label }: { name: string; label: string }) {
  const query = useQuery(labelQuery(name, label));
  return (
    <ol className="moves" aria-label={`Moves of ${label}`}>
      {((query.data?.moves ?? []) as unknown as Move[]).slice(0, 20).map((move) => (
        <li key={move.move}>
          <code>{move.version.slice(0, 12)}</code> {HOW[move.how] ?? move.how}{move.from ? ` from ${move.from}` : ''} by {move.by || 'nobody named'}, <Ago at={move.at} />{move.comment ? `: ${move.comment}` : ''}
        </li>
      ))}
    </ol>
  );
}

function RollBack({ name, label, onClose }: { name: string; label: Label; onClose: () => void }) {
  const [comment, setComment] = useState('');
  const roll = useMutation({
    mutationFn: () => rollBackLabel(name, label, comment),
    onSuccess: (moved) => {
      announce(`${label.label} names ${moved.version.slice(0, 12)}`);
      onClose();
    },
    onSettled: () => agentChanged(name),
  });
  return (
    <Dialog label={`Roll back ${label.label}`} onClose={onClose}>
      <form className="label-form" onSubmit={(event) => { event.preventDefault(); roll.mutate(); }}>
        <h2>Roll back {label.label}</h2>
        <p>It names <code>{label.version.slice(0, 12)}</code> and will name the version before the one that was set last. Runs keep the version that they began with.</p>
        <Moves name={name} label={label.label} />
        <label htmlFor="rollback-comment">Why (optional)</label>
        <input id="rollback-comment" maxLength={4000} value={comment} onChange={(event) => setComment(event.target.value)} />
        {roll.isError && <p className="problem" role="alert">{wordsOf(roll.error)}</p>}
        <p className="buttons"><button className="button danger" type="submit" disabled={roll.isPending}>Roll back</button><button className="button quiet" type="button" onClick={onClose}>Close</button></p>
      </form>
    </Dialog>
  );
}

function Promote({ name, version, labels, onClose }: { name: string; version: string; labels: Label[]; onClose: () => void }) {
  const [label, setLabel] = useState('');
  const [comment, setComment] = useState('');
  // As they were seen when the dialog was opened: who moved one meanwhile is not overwritten.
  const [seen] = useState(labels);
  const before = seen.find((one) => one.label === label);
  const move = useMutation({
    mutationFn: () => moveLabel(name, label, version, comment, before, seen.find((one) => one.version === version && one.label !== label)?.label),
    onSuccess: () => {
      announce(`${label} names ${version.slice(0, 12)}`);
      onClose();
    },
    onSettled: () => agentChanged(name),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    move.mutate();
  };
  return (
    <Dialog label="Promote" onClose={onClose}>
      <form className="label-form" onSubmit={submit}>
        <h2>Promote {version.slice(0, 12)}</h2>
        <label htmlFor="promote-label">Label</label>
        <input id="promote-label" required maxLength={63} pattern="[a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?" list="known-labels" autoComplete="off" autoCapitalize="off" placeholder="production"
          value={label} onChange={(event) => setLabel(event.target.value)} />
        <datalist id="known-labels">{seen.map((one) => <option key={one.label} value={one.label} />)}</datalist>
        <p className="note" role="status">{!label ? 'One that is there, or a new one.' : !before ? 'A new label.' : before.version === version ? 'It names this version already.' : `It names ${before.version.slice(0, 12)} now.`}</p>
        <label htmlFor="promote-comment">Why (optional)</label>
        <input id="promote-comment" maxLength={4000} value={comment} onChange={(event) => setComment(event.target.value)} />
        {move.isError && <p className="problem" role="alert">{wordsOf(move.error)}</p>}
        <p className="buttons"><button className="button primary" type="submit" disabled={move.isPending || !label}>Promote</button><button className="button quiet" type="button" onClick={onClose}>Close</button></p>
      </form>
    </Dialog>
  );
}

export function Labels({ name, version }: { name: string; version: string }) {
  const query = useQuery(labelsQuery(name));
  const [rolled, setRolled] = useState<Label | null>(null);
  const [promoting, setPromoting] = useState(false);
  const labels = query.data ?? [];
  return (
    <>
      <div className="title"><h2>Labels</h2><button className="button small" disabled={!query.isSuccess} onClick={() => setPromoting(true)}>Promote this version</button></div>
      <QueryState of={query} />
      {query.isSuccess && labels.length === 0 && <p className="note">No label names a version yet.</p>}
      <ul className="labels" aria-label="Labels">
        {labels.map((label) => (
          <li key={label.label} data-label={label.label}>
            <span className="label-says">
              <strong>{label.label}</strong>
              <Link to="/agents/$name" params={{ name }} search={{ version: label.label }} title={label.version}><code>{label.version.slice(0, 12)}</code></Link>
              <span className="note">{HOW[label.how] ?? label.how}{label.from ? ` from ${label.from}` : ''} by {label.by || 'nobody named'}, <Ago at={label.at} />{label.comment ? `: ${label.comment}` : ''}</span>
            </span>
            <button className="button small quiet" onClick={() => setRolled(label)} aria-label={`Roll back ${label.label}`}>Roll back</button>
          </li>
        ))}
      </ul>
      {rolled && <RollBack name={name} label={rolled} onClose={() => setRolled(null)} />}
      {promoting && <Promote name={name} version={version} labels={labels} onClose={() => setPromoting(false)} />}
    </>
  );
}
