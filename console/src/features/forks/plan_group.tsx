// Calls of one fate in a dry run: of a fork, of an undoing.

import type { ReactNode } from 'react';
import { plural } from '../../model/text';

export const MOST_SHOWN = 50; // of each group

interface Props<T> {
  look: string; // names its colours
  sign: string;
  words: string; // behind "3 calls"
  calls: readonly T[];
  open: boolean;
  ordered?: boolean; // they are done one behind the other
  keyOf: (call: T) => string;
  children: (call: T) => ReactNode;
}

export function PlanGroup<T>({ look, sign, words, calls, open, ordered, keyOf, children }: Props<T>) {
  const List = ordered ? 'ol' : 'ul';
  return (
    <details className={`plan-group ${look}`} open={open}>
      <summary><span aria-hidden="true">{sign}</span> {plural(calls.length, 'call')} {words}</summary>
      <List className="plan-calls">
        {calls.slice(0, MOST_SHOWN).map((call) => <li key={keyOf(call)}>{children(call)}</li>)}
        {calls.length > MOST_SHOWN && <li className="note">and {(calls.length - MOST_SHOWN).toLocaleString('en')} more</li>}
      </List>
    </details>
  );
}
