import './ui/theme.css';
import './ui/parts.css';
import './features/shell/shell.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { live } from './api/live';
import { followNews, queryClient } from './api/queries';
import { followRefusals } from './api/session';
import { router } from './router';
import { chooseTheme, chosenTheme } from './ui/theme';

chooseTheme(chosenTheme());
// Addresses of the page that was here before: /#/runs/ID.
if (location.hash.startsWith('#/')) history.replaceState(null, '', location.hash.slice(1));
followNews();
followRefusals();
addEventListener('pagehide', () => live.rest());
addEventListener('pageshow', () => live.wake());

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
