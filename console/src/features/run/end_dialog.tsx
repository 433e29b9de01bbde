// A run is ended before its time: asked for once more, with a reason that its end and the record keep.

import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { answered, api } from '../../api/client';
import { queryClient } from '../../api/queries';
import { author } from '../../api/session';
import { wordsOf } from '../../model/problem';
import { Dialog } from '../../ui/dialog';

export type EndAction = 'cancel' | 'terminate' | 'fail';

const WORDS: Record<EndAction, { title: string; says: string; button: string; reason: string }> = {
  cancel: { title: 'Cancel the run?', says: 'It is asked to stop; what can be undone is undone.', button: 'Cancel run', reason: 'cancelled in the console' },
  terminate: { title: 'Terminate the run?', says: 'It ends at once, and nothing of it is undone.', button: 'Terminate', reason: 'terminated in the console' },
  fail: { title: 'Let the run fail?', says: 'The step that failed is not made again. The run can be retried later.', button: 'Fail run', reason: '' },
};

function end(id: string, action: EndAction, said: string): Promise<unknown> {
  const params = { path: { id } };
  const reason = said || WORDS[action].reason;
  switch (action) {
    case 'cancel': return answered<unknown>(api.POST('/api/v1/runs/{id}/cancel', { params, body: { reason } }));
    case 'terminate': return answered<unknown>(api.POST('/api/v1/runs/{id}/terminate', { params, body: { reason } }));
    case 'fail': return answered<unknown>(api.POST('/api/v1/runs/{id}/fail', { params, body: { by: author(), ...(reason ? { reason } : {}) } }));
  }
}

export function EndDialog({ id, action, onEnded, onClose }: { id: string; action: EndAction; onEnded: () => void; onClose: () => void }) {
  const [reason, setReason] = useState('');
  const words = WORDS[action];
  const mutation = useMutation({
    mutationFn: () => end(id, action, reason.trim()),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ['run', id] });
      onEnded();
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    mutation.mutate();
  };
  return (
    <Dialog label={words.title} onClose={onClose}>
      <form className="dialog-form" onSubmit={submit}>
        <h2>{words.title}</h2>
        <p>{words.says}</p>
        <label>Why (optional)<input name="reason" maxLength={1000} autoComplete="off" value={reason} onChange={(event) => setReason(event.target.value)} /></label>
        {mutation.isError && <p className="problem" role="alert">{wordsOf(mutation.error)}</p>}
        <p className="buttons"><button className="button danger" type="submit" disabled={mutation.isPending}>{words.button}</button><button className="button quiet" type="button" onClick={onClose}>Let it go on</button></p>
      </form>
    </Dialog>
  );
}
