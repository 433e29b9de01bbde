// The screens that are reached from everywhere: one line each.

export interface Screen {
  name: string;
  to: '/runs' | '/new' | '/agents' | '/usage';
  keys: string;
  says: string;
  inBar: boolean;
}

export const SCREENS: readonly Screen[] = [
  { name: 'Runs', to: '/runs', keys: 'g r', says: 'Runs', inBar: true },
  { name: 'New run', to: '/new', keys: 'g n', says: 'New run', inBar: true },
  { name: 'Agents', to: '/agents', keys: 'g a', says: 'Agents', inBar: true },
  { name: 'Usage', to: '/usage', keys: 'g u', says: 'Usage', inBar: true },
];
