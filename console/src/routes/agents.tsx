import { AgentList } from '../features/agents/agent_list';

export default AgentList;
