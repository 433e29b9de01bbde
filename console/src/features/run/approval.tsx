// What a person was asked, in the run that asked.

import { askedOfLog } from '../../model/approvals';
import { textOf } from '../../model/events';
import type { ApprovalItem } from '../../model/run_log';
import { decidedWords } from '../../model/terms';
import { Question } from '../approvals/question';
import { Settled } from '../approvals/settled';

export function ApprovalView({ run, item }: { run: string; item: ApprovalItem }) {
  if (item.status === 'pending') return <Question asked={askedOfLog(run, item)} />;
  return (
    <Settled of={{
      run, tool: item.tool, status: item.status, isQuestion: item.data['kind'] === 'question', answer: item.data['answer'], arguments: item.data['edited_arguments'] ?? item.data['arguments'],
      by: textOf(item.data['decided_by']), at: item.decidedAt, comment: textOf(item.data['comment']), more: decidedWords(item.data),
    }} />
  );
}
