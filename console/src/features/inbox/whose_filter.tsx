// Whose inbox is shown. A team is named by typing it: who reads approvals need not be able to list teams.

import { useState, type FormEvent } from 'react';
import { FOR, isEverybodys, whoseOf, type Whose } from '../../model/whose';

const WORDS: Record<(typeof FOR)[number], string> = { me: 'Mine', team: 'My teams' };

export function WhoseFilter({ whose, onWhose }: { whose: Whose; onWhose: (whose: Whose) => void }) {
  const [typed, setTyped] = useState<string | null>(null); // until it is taken
  const take = () => {
    setTyped(null);
    if (typed !== null && typed.trim() !== (whose.team ?? '')) onWhose(whoseOf(whose.for, typed));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    take();
  };
  return (
    <form className="whose" role="search" aria-label="Filter the inbox" onSubmit={submit}>
      <select id="filter-whose" aria-label="Whose" value={whose.for ?? ''} onChange={(event) => onWhose(whoseOf(event.target.value, whose.team))}>
        <option value="">Everybody{'\u2019'}s</option>
        {FOR.map((one) => <option key={one} value={one}>{WORDS[one]}</option>)}
      </select>
      {whose.for !== 'team' && (
        <input id="filter-team" type="text" aria-label="Team" placeholder="Every team" maxLength={200} value={typed ?? whose.team ?? ''}
          onChange={(event) => setTyped(event.target.value)} onBlur={take} />
      )}
      {!isEverybodys(whose) && <button type="button" className="button quiet" onClick={() => onWhose({})}>Clear</button>}
    </form>
  );
}
