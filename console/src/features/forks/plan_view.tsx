// What a fork would do, before it is started: calls that are made, asked of a person, denied, and those that are reused.

import type { ForkPlan } from '../../api/forks';
import { effectsByFate, inheritedWords, type Fate } from '../../model/forks';
import { MOST_SHOWN, PlanGroup } from './plan_group';

const SIGNS: Record<Fate, string> = { make: '\u25B8', ask: '?', deny: '\u2298', unknown_tool: '\u2715', reuse: '\u2713' };

export function PlanView({ plan }: { plan: ForkPlan }) {
  const groups = effectsByFate(plan.effects);
  return (
    <div className="plan">
      <p className="note">It begins at message {plan.forked_from.at.message}, on version <code>{plan.version.slice(0, 12)}</code>; {inheritedWords(plan.inherited)}.</p>
      {groups.length === 0 && <p>No call was made behind that place, and none before it.</p>}
      {groups.map(({ fate, words, effects }) => (
        <PlanGroup key={fate} look={fate} sign={SIGNS[fate]} words={words} calls={effects} open={fate !== 'reuse' && effects.length <= MOST_SHOWN} keyOf={(one) => `${one.message} ${one.call}`}>
          {(one) => <><code>{one.tool}</code> <span className="note">message {one.message}{one.class && `, ${one.class.replaceAll('_', ' ')}`}{one.edited && ', with the other result'}{one.reason && `, ${one.reason}`}</span></>}
        </PlanGroup>
      ))}
      {plan.more_effects && <p className="note">There are more calls than are listed here.</p>}
      {plan.undone && plan.undone.length > 0 && <p className="note">Taken back when the run ended, and told to the model: {plan.undone.join(', ')}.</p>}
      {groups.some((group) => group.fate !== 'reuse') && <p className="note">That is what the run did behind the place; the fork{'\u2019'}s model may decide otherwise.</p>}
    </div>
  );
}
