// Roles of people and services: by namespace, "*" is every one.

export const ROLES = ['reader', 'operator', 'approver', 'deployer', 'admin'] as const;
export type Role = (typeof ROLES)[number];
export type Roles = Record<string, Role[]>;

export const ROLE_SAYS: Record<Role, string> = {
  reader: 'look', operator: 'start, steer and stop runs', approver: 'answer approvals', deployer: 'register agents, work', admin: 'all, also people and keys',
};

export const namespaceWords = (namespace: string): string => (namespace === '*' ? 'every namespace' : namespace);

export const rolesWords = (roles: Roles): string =>
  Object.entries(roles).filter(([, of]) => of.length > 0).map(([namespace, of]) => `${of.join(', ')} in ${namespaceWords(namespace)}`).join('; ') || 'no roles';

export function withRole(roles: Roles, namespace: string, role: Role, has: boolean): Roles {
  const of = ROLES.filter((one) => (one === role ? has : (roles[namespace] ?? []).includes(one)));
  return { ...roles, [namespace]: of };
}

// As it is sent: a namespace without roles is none.
export const saidRoles = (roles: Roles): Roles => Object.fromEntries(Object.entries(roles).filter(([, of]) => of.length > 0));

// Whoever may change who else may what.
export const isAdminOfAll = (roles: Roles): boolean => (roles['*'] ?? []).includes('admin');

// In some namespace; which one is the server's says the server.
export const hasRole = (roles: Roles, role: Role): boolean => Object.values(roles).some((of) => of.includes(role));

// "payments, risk" as names of teams.
export const teamsOf = (typed: string): string[] => [...new Set(typed.split(',').map((name) => name.trim()).filter(Boolean))];
