// The addresses. Each stands in pages.json too, which tells the server what it answers with the console
// (router.test.ts compares them). A screen's code is loaded when it is first shown.

import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import type { DefinitionSearch } from './features/agents/definition_screen';
import type { RecordSearch } from './features/record/record_screen';
import { Shell } from './features/shell/shell';
import type { UsageSearch } from './features/usage/usage_screen';
import type { SettingsPart } from './features/settings/settings';
import { BY, isDay, type By } from './model/usage';
import { whoseOf, type Whose } from './model/whose';
import { NotFound } from './routes/not_found';
import { Failed } from './ui/boundary';

export interface RunsSearch { status?: string; agent?: string; from?: string; to?: string }
export interface RunSearch { step?: number; view?: 'transcript' }
export interface InboxSearch extends Whose { approval?: string }
export interface BudgetsSearch { waiting?: true }
export interface SettingsSearch { part?: SettingsPart }

// A search parameter that is none stands as undefined, or the router hands it on as it was written.
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined);
// A moment as ISO 8601, else nothing.
const time = (value: unknown): string | undefined => (typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? new Date(value).toISOString() : undefined);
const oneOf = <T extends string>(value: unknown, of: readonly T[]): T | undefined => of.find((one) => one === value);

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Failed });

const home = createRoute({ getParentRoute: () => root, path: '/', beforeLoad: () => { throw redirect({ to: '/runs', replace: true }); } });

const runs = createRoute({
  getParentRoute: () => root,
  path: '/runs',
  validateSearch: (search: Record<string, unknown>): RunsSearch => {
    const [status, agent, from, to] = [text(search['status']), text(search['agent']), time(search['from']), time(search['to'])];
    return { status, agent, from, to };
  },
  component: lazyRouteComponent(() => import('./routes/runs')),
});

const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$id',
  validateSearch: (search: Record<string, unknown>): RunSearch => {
    const [step, view] = [Number(search['step']), oneOf(search['view'], ['transcript'] as const)];
    return { step: Number.isInteger(step) && step > 0 ? step : undefined, view };
  },
  component: lazyRouteComponent(() => import('./routes/run')),
});

const runDiff = createRoute({ getParentRoute: () => root, path: '/runs/$id/diff/$other', component: lazyRouteComponent(() => import('./routes/run_diff')) });

const newRun = createRoute({ getParentRoute: () => root, path: '/new', component: lazyRouteComponent(() => import('./routes/new_run')) });

const agents = createRoute({ getParentRoute: () => root, path: '/agents', component: lazyRouteComponent(() => import('./routes/agents')) });

const agent = createRoute({
  getParentRoute: () => root,
  path: '/agents/$name',
  validateSearch: (search: Record<string, unknown>): DefinitionSearch => {
    const [version, against, view] = [text(search['version']), text(search['against']), oneOf(search['view'], ['changes', 'start'] as const)];
    return { version, against, view };
  },
  component: lazyRouteComponent(() => import('./routes/agent')),
});

const flows = createRoute({ getParentRoute: () => root, path: '/flows', component: lazyRouteComponent(() => import('./routes/flows')) });

const flow = createRoute({
  getParentRoute: () => root,
  path: '/flows/$name',
  validateSearch: (search: Record<string, unknown>): DefinitionSearch => {
    const [version, against, block, view] = [text(search['version']), text(search['against']), text(search['block']), oneOf(search['view'], ['definition', 'changes', 'start'] as const)];
    return { version, against, view, block };
  },
  component: lazyRouteComponent(() => import('./routes/flow')),
});

const usage = createRoute({
  getParentRoute: () => root,
  path: '/usage',
  validateSearch: (search: Record<string, unknown>): UsageSearch => {
    const day = (value: unknown) => (typeof value === 'string' && isDay(value) ? value : undefined);
    const [by, from, to, chart] = [oneOf<By>(search['by'], BY), day(search['from']), day(search['to']), oneOf(search['chart'], ['cost', 'tokens'] as const)];
    return { by, from, to, chart };
  },
  component: lazyRouteComponent(() => import('./routes/usage')),
});

const inbox = createRoute({
  getParentRoute: () => root,
  path: '/inbox',
  validateSearch: (search: Record<string, unknown>): InboxSearch => {
    const { for: whose, team } = whoseOf(text(search['for']), text(search['team']));
    return { for: whose, team, approval: text(search['approval']) };
  },
  component: lazyRouteComponent(() => import('./routes/inbox')),
});

const budgets = createRoute({
  getParentRoute: () => root,
  path: '/budgets',
  validateSearch: (search: Record<string, unknown>): BudgetsSearch => {
    const waiting = search['waiting'] === true || search['waiting'] === 'true' ? true : undefined;
    return { waiting };
  },
  component: lazyRouteComponent(() => import('./routes/budgets')),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  validateSearch: (search: Record<string, unknown>): SettingsSearch => {
    const part = oneOf<SettingsPart>(search['part'], ['people', 'groups', 'keys', 'sessions', 'secrets', 'grants']);
    return { part };
  },
  component: lazyRouteComponent(() => import('./routes/settings')),
});

const record = createRoute({
  getParentRoute: () => root,
  path: '/record',
  validateSearch: (search: Record<string, unknown>): RecordSearch => {
    const [from, until, principal, kind, subject] = [time(search['from']), time(search['until']), text(search['principal']), text(search['kind']), text(search['subject'])];
    return { from, until, principal, kind, subject };
  },
  component: lazyRouteComponent(() => import('./routes/record')),
});

const newChat = createRoute({ getParentRoute: () => root, path: '/chat', component: lazyRouteComponent(() => import('./routes/new_chat')) });

const chat = createRoute({ getParentRoute: () => root, path: '/chat/$conversation', component: lazyRouteComponent(() => import('./routes/chat')) });

export const routeTree = root.addChildren([home, runs, run, runDiff, newRun, inbox, newChat, chat, agents, agent, flows, flow, usage, budgets, settings, record]);

export const router = createRouter({ routeTree, defaultPreload: 'intent', scrollRestoration: true, defaultErrorComponent: Failed });

declare module '@tanstack/react-router' {
  interface Register { router: typeof router }
}
