// Named secrets: set, set again, deleted. A value goes in and does not come out: nothing here shows one.

import { useMutation, useQuery } from '@tanstack/react-query';
import { useRef, useState, type FormEvent } from 'react';
import { deleteSecret, secretsChanged, secretsQuery, setSecret, type Secret, type SecretValue } from '../../api/settings';
import { wordsOf } from '../../model/problem';
import { SECRET_NAME, base64Of, sizeProblem, valueOfFile } from '../../model/secrets';
import { announce } from '../../ui/announce';
import { Dialog } from '../../ui/dialog';
import { QueryState } from '../../ui/query_state';
import { Ago } from '../../ui/when';

async function valueIn(form: FormData): Promise<SecretValue> {
  const file = form.get('file');
  const typed = String(form.get('value') ?? '');
  const ofFile = file instanceof File && file.size > 0 ? valueOfFile(new Uint8Array(await file.arrayBuffer()), form.get('exact') !== null) : undefined;
  const wrong = sizeProblem(ofFile ? ofFile.length : new TextEncoder().encode(typed).length);
  if (wrong) throw new Error(wrong);
  return ofFile ? { value_base64: base64Of(ofFile) } : { value: typed };
}

// `of`: the one that is set again.
function SetSecret({ of, onClose }: { of: Secret | undefined; onClose: () => void }) {
  const where = useRef<HTMLFormElement>(null);
  const [byFile, setByFile] = useState(false);
  const set = useMutation({
    // The value is read where it was typed, and is in no cache.
    mutationFn: async () => {
      const form = new FormData(where.current!);
      return setSecret(of?.name ?? String(form.get('name') ?? '').trim(), await valueIn(form));
    },
    onSuccess: (made) => {
      announce(`${made.name} was set, version ${made.version}`);
      onClose();
    },
    onSettled: secretsChanged,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    set.mutate();
  };
  const label = of ? `Rotate ${of.name}` : 'Set a secret';
  return (
    <Dialog label={label} onClose={onClose}>
      <form ref={where} className="dialog-form" onSubmit={submit}>
        <h2>{label}</h2>
        <p className="note">It is stored sealed, and nobody reads it again, here neither. {of ? 'It counts from the next call on.' : 'A definition names it as secret:NAME.'}</p>
        {!of && <label>Name<input name="name" required pattern={SECRET_NAME} title="Letters, digits, _, . and -, at most 64" maxLength={64} autoComplete="off" autoCapitalize="none" spellCheck={false} placeholder="OPENAI_KEY" /></label>}
        <label className="check"><input type="checkbox" checked={byFile} onChange={(event) => setByFile(event.target.checked)} /> <span>From a file <span className="note">several lines, or any bytes</span></span></label>
        {byFile ? (
          <div className="secret-ways">
            <label>File<input name="file" type="file" required /></label>
            <label className="check"><input type="checkbox" name="exact" /> <span>A line break at its end belongs to it</span></label>
          </div>
        ) : <label>Value<input name="value" type="password" required autoComplete="new-password" spellCheck={false} /></label>}
        {set.isError && <p className="problem" role="alert">{wordsOf(set.error)}</p>}
        <p className="buttons"><button className="button primary" type="submit" disabled={set.isPending}>{of ? 'Rotate' : 'Set'}</button><button className="button quiet" type="button" onClick={onClose}>Close</button></p>
      </form>
    </Dialog>
  );
}

function Delete({ of, onClose }: { of: Secret; onClose: () => void }) {
  const gone = useMutation({
    mutationFn: () => deleteSecret(of.name),
    onSuccess: () => {
      announce(`${of.name} was deleted`);
      onClose();
    },
    onSettled: secretsChanged,
  });
  return (
    <Dialog label={`Delete ${of.name}`} onClose={onClose}>
      <h2>Delete {of.name}?</h2>
      <p>What uses it fails from the next call on. That is for good: nobody can read the value back.</p>
      {gone.isError && <p className="problem" role="alert">{wordsOf(gone.error)}</p>}
      <p className="buttons"><button className="button danger" disabled={gone.isPending} onClick={() => gone.mutate()}>Delete</button><button className="button quiet" onClick={onClose}>Close</button></p>
    </Dialog>
  );
}

export function Secrets({ admin }: { admin: boolean }) {
  const query = useQuery(secretsQuery);
  const [over, setOver] = useState<{ what: 'set'; of?: Secret } | { what: 'delete'; of: Secret } | null>(null);
  const close = () => setOver(null);
  return (
    <section aria-label="Secrets">
      <div className="title"><h2>Named secrets</h2>{admin && <button className="button primary small" onClick={() => setOver({ what: 'set' })}>Set a secret</button>}</div>
      <p className="note">What definitions use without anybody reading it. Where each may go, grants say.</p>
      <QueryState of={query} />
      <ul className="identities" aria-label="Secrets" aria-busy={query.isPending}>
        {query.data?.map((of) => (
          <li key={of.name} data-secret={of.name}>
            <strong><code>{of.name}</code></strong>
            <span className="note">version {of.version}</span>
            <span className={of.readable ? 'state' : 'state ended'}>{of.readable ? (of.used_at ? <>used <Ago at={of.used_at} /></> : 'not used yet') : 'sealed with a key that this server does not have: set it again, or give the server the key'}</span>
            <span className="note">set <Ago at={of.set_at} /> by {of.set_by}</span>
            <span className="doing">
              {admin && <button className="button small" onClick={() => setOver({ what: 'set', of })} aria-label={`Rotate ${of.name}`}>Rotate</button>}
              {admin && <button className="button small quiet" onClick={() => setOver({ what: 'delete', of })} aria-label={`Delete ${of.name}`}>Delete</button>}
            </span>
          </li>
        ))}
      </ul>
      {query.isSuccess && query.data.length === 0 && <p className="empty">There is no secret.{admin && ' Set one, and name it in a definition: api_key_env: secret:NAME.'}</p>}
      {over?.what === 'set' && <SetSecret of={over.of} onClose={close} />}
      {over?.what === 'delete' && <Delete of={over.of} onClose={close} />}
    </section>
  );
}
