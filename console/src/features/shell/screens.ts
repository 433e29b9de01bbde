// The screens that are reached from everywhere: one line each.

export interface Screen {
  name: string;
  to: '/runs' | '/new' | '/inbox' | '/chat' | '/agents' | '/flows' | '/usage' | '/budgets' | '/settings' | '/record';
  keys: string;
  says: string;
  inBar: boolean;
  icon?: string; // in the bar of a phone: strokes in 16 by 16
}

export const SCREENS: readonly Screen[] = [
  { name: 'Runs', to: '/runs', keys: 'g r', says: 'Runs', inBar: true, icon: 'M3 4h10M3 8h10M3 12h6' },
  { name: 'New run', to: '/new', keys: 'g n', says: 'New run', inBar: true },
  { name: 'Inbox', to: '/inbox', keys: 'g i', says: 'Inbox: what waits for a person', inBar: true, icon: 'M2.5 9.5 4.5 3h7l2 6.5V13h-11zm0 0h3l1 2h3l1-2h3' },
  { name: 'Chat', to: '/chat', keys: 'g c', says: 'Chat with an agent', inBar: true, icon: 'M2.5 3.5h11v7h-6L4.5 13v-2.5h-2z' },
  { name: 'Agents', to: '/agents', keys: 'g a', says: 'Agents', inBar: true, icon: 'M4 6h8v6.5H4zm4 0V3.5M6.3 8.7v.8m3.4-.8v.8M2.5 8v2.5m11-2.5v2.5' },
  { name: 'Flows', to: '/flows', keys: 'g f', says: 'Flows', inBar: true, icon: 'M6 2.5h4v3H6zm-3.5 8h4v3h-4zm7 0h4v3h-4zm-1.5-5V8m-3.5 2.5V8h7v2.5' },
  { name: 'Usage', to: '/usage', keys: 'g u', says: 'Usage', inBar: true, icon: 'M2.5 13.5V9m3.7 4.5v-8m3.6 8V8m3.7 5.5v-11' },
  { name: 'Budgets', to: '/budgets', keys: 'g b', says: 'Budgets of runs', inBar: false },
  { name: 'Settings', to: '/settings', keys: 'g s', says: 'Settings: people, keys, sessions, secrets, tool grants', inBar: true, icon: 'M2.5 5h6m3 0h2m-11 6h2m3 0h6M10 3.2v3.6M6 9.2v3.6' },
  { name: 'Record', to: '/record', keys: 'g l', says: 'The record: who did what', inBar: false },
];
