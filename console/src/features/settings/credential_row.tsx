// A key or a session as a row; those that have ended only when they are asked for.

import { useState, type ReactNode } from 'react';
import type { Credential } from '../../api/settings';
import { momentOf } from '../../model/text';
import { useNow } from '../../ui/use_now';
import { Ago } from '../../ui/when';

const endOf = (of: Credential, now: number): string =>
  (of.revoked_at ? 'revoked' : of.expires_at && Date.parse(of.expires_at) <= now ? 'expired' : '');

export function useEnded(all: Credential[] | undefined): [Credential[], ReactNode] {
  const now = useNow(10_000);
  const [ended, setEnded] = useState(false);
  const gone = (all ?? []).filter((of) => endOf(of, now) !== '').length;
  const rows = (all ?? []).filter((of) => ended || endOf(of, now) === '');
  const toggle = gone > 0 && <label className="role"><input type="checkbox" checked={ended} onChange={(event) => setEnded(event.target.checked)} /> <span>Those that have ended, too ({gone})</span></label>;
  return [rows, toggle];
}

export function CredentialRow({ of, children }: { of: Credential; children: ReactNode }) {
  const now = useNow(10_000);
  const end = endOf(of, now);
  return (
    <li data-credential={of.id}>
      <strong>{of.principal}</strong>
      <span className="note what-for" title={of.label}>{of.label || of.id}</span>
      <span className={end ? 'state ended' : 'state'}>{end || (of.expires_at ? `until ${momentOf(Date.parse(of.expires_at))}` : 'until it is revoked')}</span>
      <span className="note">made <Ago at={of.created_at} />{of.created_by && of.created_by !== of.principal && ` by ${of.created_by}`}; {of.used_at ? <>used <Ago at={of.used_at} /></> : 'never used'}</span>
      <span className="doing">{end === '' && children}</span>
    </li>
  );
}
