// What became of a decision that the run has not shown yet: it was not taken, or is on its way.

import { ApiProblem, wordsOf } from '../../model/problem';

// The server keeps it where the run does not answer at once; then it tells no status of the approval.
export function OnItsWay({ answer }: { answer: { status?: string } | undefined }) {
  return answer !== undefined && answer.status === undefined && <p className="note" role="status">It is kept, and the run is told as soon as it can be reached.</p>;
}

export function Refused({ error }: { error: unknown }) {
  const behind = error instanceof ApiProblem && error.code === 'approval_already_decided';
  return <p className="problem" role="alert">{wordsOf(error)}{behind && ' It is shown as soon as the run says so.'}</p>;
}
