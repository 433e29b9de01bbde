// What a run that is over did is taken back: first said which calls, then done by a run of its own.

import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Run } from '../../api/client';
import { undoPlanQuery, undoRun } from '../../api/forks';
import { queryClient } from '../../api/queries';
import { wordsOf } from '../../model/problem';
import { plural } from '../../model/text';
import { isLeft, noteOf, undoGroups, type UndoGroup } from '../../model/undo';
import { announce } from '../../ui/announce';
import { Dialog } from '../../ui/dialog';
import { QueryState } from '../../ui/query_state';
import { MOST_SHOWN, PlanGroup } from './plan_group';
import './forks.css';

const SIGNS: Record<UndoGroup['look'], string> = { undo: '\u25B8', undone: '\u2713', nothing: '\u2013' };

export default function UndoDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const navigate = useNavigate();
  const [reason, setReason] = useState('');
  const query = useQuery(undoPlanQuery(run.id));
  const undo = useMutation({
    mutationFn: () => undoRun(run.id, reason),
    onSuccess: (made) => {
      announce('what the run did is being taken back');
      onClose();
      void queryClient.invalidateQueries({ queryKey: ['forks', run.id] });
      void navigate({ to: '/runs/$id', params: { id: made.id } });
    },
  });
  const effects = query.data?.effects ?? [];
  const left = effects.filter(isLeft).length;
  const more = query.data?.more_effects === true;
  return (
    <Dialog label="Undo the run" onClose={onClose} className="fork undo">
      <form className="dialog-form" onSubmit={(event) => { event.preventDefault(); undo.mutate(); }}>
        <h2>Undo <code>{run.id}</code></h2>
        <p className="note">A new run calls what <code>compensate</code> of each tool says, each once. What tools without <code>compensate</code> did stands, and is not listed.</p>
        <section className="fork-plan" aria-label="Dry run" aria-busy={query.isFetching}>
          <h3>Dry run</h3>
          <QueryState of={query} />
          {query.data && effects.length === 0 && <p>It has no effect that a tool takes back.</p>}
          <div className="plan">
            {undoGroups(effects).map((group) => (
              <PlanGroup key={group.look} look={group.look} sign={SIGNS[group.look]} words={group.words} calls={group.effects} ordered={group.look === 'undo'}
                open={group.look === 'undo' && group.effects.length <= MOST_SHOWN} keyOf={(one) => one.key}>
                {(one) => <><code>{one.tool}</code> <span className="note">step {one.step}{one.item !== undefined && `, item ${one.item}`}{one.agent !== run.agent && ` of ${one.agent}`}{noteOf(one) && `, ${noteOf(one)}`}</span></>}
              </PlanGroup>
            ))}
          </div>
          {more && <p className="note">Other calls of items come behind these.</p>}
        </section>
        {(left > 0 || more) && <label>Why (optional)<input name="reason" maxLength={1000} value={reason} onChange={(event) => setReason(event.target.value)} /></label>}
        {undo.isError && <p className="problem" role="alert">{wordsOf(undo.error)}</p>}
        <p className="buttons">
          {(left > 0 || more) && <button type="submit" className="button danger" disabled={undo.isPending}>Undo {more ? 'all calls' : plural(left, 'call')}</button>}
          <button type="button" className="button quiet" onClick={onClose}>Close</button>
        </p>
      </form>
    </Dialog>
  );
}
