// What every screen says that needs an agent, on a server that has none.

export const NoAgents = () => <p className="empty" role="status">No agent is registered yet: <code>holdfast agent apply agent.yaml</code></p>;
