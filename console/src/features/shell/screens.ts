// The screens that are reached from everywhere: one line each.

export interface Screen {
  name: string;
  to: '/runs' | '/new' | '/inbox' | '/chat' | '/agents' | '/flows' | '/usage' | '/budgets' | '/settings' | '/record';
  keys: string;
  says: string;
  inBar: boolean;
}

export const SCREENS: readonly Screen[] = [
  { name: 'Runs', to: '/runs', keys: 'g r', says: 'Runs', inBar: true },
  { name: 'New run', to: '/new', keys: 'g n', says: 'New run', inBar: true },
  { name: 'Inbox', to: '/inbox', keys: 'g i', says: 'Inbox: what waits for a person', inBar: true },
  { name: 'Chat', to: '/chat', keys: 'g c', says: 'Chat with an agent', inBar: true },
  { name: 'Agents', to: '/agents', keys: 'g a', says: 'Agents', inBar: true },
  { name: 'Flows', to: '/flows', keys: 'g f', says: 'Flows', inBar: true },
  { name: 'Usage', to: '/usage', keys: 'g u', says: 'Usage', inBar: true },
  { name: 'Budgets', to: '/budgets', keys: 'g b', says: 'Budgets of runs', inBar: false },
  { name: 'Settings', to: '/settings', keys: 'g s', says: 'Settings: people, keys, sessions, secrets, tool grants', inBar: true },
  { name: 'Record', to: '/record', keys: 'g l', says: 'The record: who did what', inBar: false },
];
