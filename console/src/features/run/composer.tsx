// A message into a run that is under way.

import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { answered, api } from '../../api/client';
import { wordsOf } from '../../model/problem';
import { announce } from '../../ui/announce';
import { useKeys } from '../../ui/use_keys';
import { author } from '../../api/session';

export function Composer({ id, held }: { id: string; held: boolean }) {
  const [text, setText] = useState('');
  const [message, setMessage] = useState(() => crypto.randomUUID()); // sent twice, it is one message
  const send = useMutation({
    mutationFn: () => answered(api.POST('/api/v1/runs/{id}/messages', { params: { path: { id } }, body: { input: text, id: message, by: author() } })),
    onSuccess: () => {
      setText('');
      setMessage(crypto.randomUUID());
      announce('the run has the message');
    },
  });
  useKeys([{ keys: 'm', says: 'Write to the run', run: () => document.getElementById('message')?.focus() }]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() && !send.isPending) send.mutate();
  };
  return (
    <form className="composer" onSubmit={submit}>
      <textarea id="message" rows={2} aria-label="Message to the run" value={text} placeholder={held ? 'It is read when the run goes on' : 'Steer the run: its next model call reads this'}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit(); }} />
      <button className="button" type="submit" disabled={send.isPending || !text.trim()}>Send</button>
      {send.isError && <p className="problem" role="alert">{wordsOf(send.error)}</p>}
    </form>
  );
}
