// The addresses. Each stands in pages.json too, which tells the server what it answers with the console
// (router.test.ts compares them). A screen's code is loaded when it is first shown.

import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { Shell } from './features/shell/shell';
import { NotFound } from './routes/not_found';
import { Failed } from './ui/boundary';

export interface RunsSearch { status?: string; agent?: string }
export interface RunSearch { step?: number }
export interface InboxSearch { approval?: string }

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined);

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Failed });

const home = createRoute({ getParentRoute: () => root, path: '/', beforeLoad: () => { throw redirect({ to: '/runs', replace: true }); } });

const runs = createRoute({
  getParentRoute: () => root,
  path: '/runs',
  validateSearch: (search: Record<string, unknown>): RunsSearch => {
    const [status, agent] = [text(search['status']), text(search['agent'])];
    return { ...(status ? { status } : {}), ...(agent ? { agent } : {}) };
  },
  component: lazyRouteComponent(() => import('./routes/runs')),
});

const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$id',
  validateSearch: (search: Record<string, unknown>): RunSearch => {
    const step = Number(search['step']);
    return Number.isInteger(step) && step > 0 ? { step } : {};
  },
  component: lazyRouteComponent(() => import('./routes/run')),
});

const newRun = createRoute({ getParentRoute: () => root, path: '/new', component: lazyRouteComponent(() => import('./routes/new_run')) });

const inbox = createRoute({
  getParentRoute: () => root,
  path: '/inbox',
  validateSearch: (search: Record<string, unknown>): InboxSearch => {
    const approval = text(search['approval']);
    return approval ? { approval } : {};
  },
  component: lazyRouteComponent(() => import('./routes/inbox')),
});

const newChat = createRoute({ getParentRoute: () => root, path: '/chat', component: lazyRouteComponent(() => import('./routes/new_chat')) });

const chat = createRoute({ getParentRoute: () => root, path: '/chat/$conversation', component: lazyRouteComponent(() => import('./routes/chat')) });

export const routeTree = root.addChildren([home, runs, run, newRun, inbox, newChat, chat]);

export const router = createRouter({ routeTree, defaultPreload: 'intent', scrollRestoration: true, defaultErrorComponent: Failed });

declare module '@tanstack/react-router' {
  interface Register { router: typeof router }
}
