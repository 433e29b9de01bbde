export interface ProblemDocument { detail?: string; code?: string; hint?: string; nearest?: number }

// What the API said is wrong (RFC 9457), as an exception.
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string;
  readonly nearest: number | undefined; // of a fork: the place that would do

  constructor(status: number, problem: ProblemDocument | undefined) {
    super(problem?.detail || `The server answered ${status}.`);
    this.status = status;
    this.code = problem?.code ?? '';
    this.hint = problem?.hint ?? '';
    this.nearest = problem?.nearest;
  }
}

export const wordsOf = (error: unknown): string =>
  error instanceof ApiProblem && error.hint ? `${error.message} (${error.hint})` : error instanceof Error ? error.message : String(error);

// Whether the same question may get another answer in a moment: what is refused is refused again.
export const isPassing = (error: unknown): boolean => !(error instanceof ApiProblem && error.status >= 400 && error.status < 500 && error.status !== 408 && error.status !== 429);
