// What was decided, by whom and when.

import { filesIn } from '../../model/form';
import { Chip } from '../../ui/chip';
import { Value } from '../../ui/value';
import { Moment } from '../../ui/when';

// Of a question `arguments` is what it was called with, and `answer` what was said.
export interface Ended { run: string; tool: string; status: string; isQuestion: boolean; arguments: unknown; answer: unknown; by: string; at: string; comment: string; more: string }

export function Settled({ of }: { of: Ended }) {
  return (
    <article className={`approval ${of.status}`} aria-label={of.isQuestion ? `Question of ${of.tool}` : `Approval of ${of.tool}`}>
      <header><span className="kind">{of.isQuestion ? 'question' : 'approval'}</span><strong>{of.tool}</strong><Chip status={of.status} /></header>
      <Value of={of.arguments} />
      {of.answer !== undefined && <><h3 className="said-label">Answer</h3><Value of={of.answer} /></>}
      {filesIn(of.answer).map((file) => <p key={file.field} className="note"><a href={`/api/v1/runs/${encodeURIComponent(of.run)}/blobs/${file.blob}`} download={file.name}>{file.name}</a></p>)}
      {of.at && <p className="note">{of.status}{of.by && ` by ${of.by}`}, <Moment at={of.at} />{of.more && `; ${of.more}`}</p>}
      {of.comment && <p className="note">{'\u201C'}{of.comment}{'\u201D'}</p>}
    </article>
  );
}
