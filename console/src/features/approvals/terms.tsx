// On what terms a call is decided: which rule asks, how many have to, who may, what the call does to the world.

import { useQuery } from '@tanstack/react-query';
import { agentQuery } from '../../api/agents';
import { runQuery } from '../../api/queries';
import { momentOf } from '../../model/text';
import { EFFECT_WORDS, effectOf, fourEyesWords, votesWords, whoMay, type Terms } from '../../model/terms';

// Of the version that the run has.
function useEffectOf(run: string, agent: string | undefined, tool: string): string | undefined {
  const version = useQuery(runQuery(run)).data?.version;
  const definition = useQuery({ ...agentQuery(agent ?? '', version), enabled: agent !== undefined && version !== undefined, staleTime: Infinity }).data?.definition;
  return effectOf(definition, tool);
}

interface Props { run: string; agent: string | undefined; tool: string; rule: string; terms: Terms | undefined }

export function TermsView({ run, agent, tool, rule, terms }: Props) {
  const effect = useEffectOf(run, agent, tool);
  const named = terms?.rule || rule;
  const rows: [string, string][] = [
    ...(named ? [['rule', named] as [string, string]] : []),
    ...(effect ? [['effect', `${effect.replaceAll('_', ' ')}${EFFECT_WORDS[effect] ? `: ${EFFECT_WORDS[effect]}` : ''}`] as [string, string]] : []),
  ];
  if (terms) {
    if (terms.need > 1 || terms.have > 0) rows.push(['approvals', votesWords(terms)]);
    if (terms.who.length > 0) rows.push(['who decides', whoMay(terms.who)]);
    if (terms.fourEyes) rows.push(['four eyes', fourEyesWords(terms)]);
    terms.escalation.forEach((step, at) => rows.push(['escalation', `${at < terms.escalated ? 'since' : 'from'} ${momentOf(step.at)}${at < terms.escalated ? '' : ' on'}, ${whoMay(step.to)} as well`]));
  }
  if (rows.length === 0) return null;
  return (
    <dl className="terms" aria-label="On what terms">
      {rows.map(([name, words], at) => <div key={at}><dt>{name}</dt><dd>{words}</dd></div>)}
    </dl>
  );
}
