// A state as sign, word and colour.

const SIGNS: Record<string, string> = {
  queued: '\u25CB', running: '\u25B8', retrying: '\u21BB', completed: '\u2713', failed: '\u2715', canceled: '\u2298', terminated: '\u2298',
  timed_out: '\u2715', stopped: '\u2298', pending: '?', approved: '\u2713', edited: '\u270E', answered: '\u2713', rejected: '\u2715', expired: '\u29D6',
  waiting: '\u25CB', skipped: '\u21B7', unreached: '\u2013',
  obsolete: '\u2298', paused: '\u2016', parked: '!', budget: '!', in_line: '\u2026',
};
const WORDS: Record<string, string> = {
  timed_out: 'timed out', obsolete: 'not needed any more', budget: 'waits at its budget', in_line: 'waits for its turn', unreached: 'not reached',
};
// Of runs, where it differs from what an approval says.
export const RUN_WORDS: Record<string, string> = { ...WORDS, pending: 'waits for approval' };

export const wordOf = (status: string, words = WORDS): string => words[status] ?? status;

export const signOf = (status: string): string => SIGNS[status] ?? '\u2022';

export function Chip({ status, words }: { status: string; words?: Record<string, string> }) {
  return (
    <span className={`chip ${status}`}>
      <span aria-hidden="true">{signOf(status)}</span> {wordOf(status, words)}
    </span>
  );
}
