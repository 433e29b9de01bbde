// What waits for a person: whether a call may be made, or what the agent does not know.

import { useQuery } from '@tanstack/react-query';
import { approvalQuery } from '../../api/approvals';
import { questionOf, type Asked } from '../../model/approvals';
import { termsOf } from '../../model/terms';
import { Chip } from '../../ui/chip';
import { QueryState } from '../../ui/query_state';
import { Answer } from './answer';
import { Decide } from './decide';
import { Expiry } from './expiry';
import { Links } from './links';
import { TermsView } from './terms';

export function Question({ asked }: { asked: Asked }) {
  // The log holds the beginning of long arguments, and no form; the record all of it.
  const record = useQuery(approvalQuery(asked.id));
  const kind = asked.isQuestion ? 'question' : 'approval';
  const question = record.data && questionOf(record.data);
  const terms = asked.terms ?? termsOf(record.data);
  return (
    <article className="approval pending" aria-label={asked.isQuestion ? `${asked.tool} asks` : `Approval of ${asked.tool} is needed`}>
      <header><span className="kind">{kind}</span><strong>{asked.tool}</strong><Chip status="pending" /></header>
      {!asked.isQuestion && asked.reason && <p className="reason">{asked.reason}</p>}
      {!record.data && <QueryState of={record} loading={asked.isQuestion ? 'The form is loading.' : 'The arguments are loading.'} />}
      {(!asked.isQuestion || terms) && <TermsView run={asked.run} agent={record.data?.agent} tool={asked.tool} rule={asked.rule} terms={terms} />}
      {!asked.isQuestion && <Decide asked={asked} exact={record.data?.arguments} alone={(terms?.need ?? 1) === 1} />}
      {asked.isQuestion && question && <Answer asked={asked} question={question} exact={record.data?.arguments} />}
      {asked.expiresAt && <Expiry at={asked.expiresAt} />}
      <Links approval={asked.id} people={question?.people ?? []} />
    </article>
  );
}
