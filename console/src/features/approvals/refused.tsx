// Why a decision was not taken.

import { ApiProblem, wordsOf } from '../../model/problem';

export function Refused({ error }: { error: unknown }) {
  const behind = error instanceof ApiProblem && error.code === 'approval_already_decided';
  return <p className="problem" role="alert">{wordsOf(error)}{behind && ' It is shown as soon as the run says so.'}</p>;
}
