// A run that is over is taken up where it came to, on the version it had or another one.

import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Run } from '../../api/client';
import { retryRun } from '../../api/forks';
import { wordsOf } from '../../model/problem';
import { announce } from '../../ui/announce';
import { Dialog } from '../../ui/dialog';
import { VersionField } from './version_field';
import './forks.css';

export default function RetryDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const navigate = useNavigate();
  const [version, setVersion] = useState('');
  const retry = useMutation({
    mutationFn: () => retryRun(run.id, version),
    onSuccess: (made) => {
      announce('the run was taken up');
      onClose();
      void navigate({ to: '/runs/$id', params: { id: made.id } });
    },
  });
  return (
    <Dialog label="Retry the run" onClose={onClose} className="fork">
      <div className="dialog-form">
        <h2>Retry <code>{run.id}</code></h2>
        <p className="note">A new run goes on in the conversation where this one came to, and does nothing of it again. The step that failed is made again.</p>
        <VersionField run={run} version={version} onVersion={setVersion} />
        {retry.isError && <p className="problem" role="alert">{wordsOf(retry.error)}</p>}
        <p className="buttons"><button className="button primary" disabled={retry.isPending} onClick={() => retry.mutate()}>Retry</button><button className="button quiet" onClick={onClose}>Close</button></p>
      </div>
    </Dialog>
  );
}
