// Who runs, as a list says it: an agent by its name, a flow as one.

import { flowOfAgent, isFlow } from '../../model/flow';

export const AgentName = ({ of }: { of: string }) => (isFlow(of) ? <><span className="kind">flow</span> {flowOfAgent(of)}</> : of);
