// What was decided, by whom and when.

import { Chip } from '../../ui/chip';
import { Value } from '../../ui/value';

export interface Ended { tool: string; status: string; arguments: unknown; by: string; at: string; comment: string }

export function Settled({ of }: { of: Ended }) {
  return (
    <article className={`approval ${of.status}`} aria-label={`Approval of ${of.tool}`}>
      <header><span className="kind">approval</span><strong>{of.tool}</strong><Chip status={of.status} /></header>
      <Value of={of.arguments} />
      {of.at && <p className="note">{of.status}{of.by && ` by ${of.by}`}, <time dateTime={of.at}>{new Date(of.at).toLocaleString()}</time></p>}
      {of.comment && <p className="note">{'\u201C'}{of.comment}{'\u201D'}</p>}
    </article>
  );
}
