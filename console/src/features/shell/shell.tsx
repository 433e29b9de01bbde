// What is on every screen: navigation, the state of the stream, the palette, the help.

import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { followPending, pendingOf, pendingQuery } from '../../api/approvals';
import { infoQuery } from '../../api/queries';
import { announce } from '../../ui/announce';
import { Boundary } from '../../ui/boundary';
import { Keys } from '../../ui/keys';
import { chooseTheme, chosenTheme, nextTheme, type Theme } from '../../ui/theme';
import { useKeys } from '../../ui/use_keys';
import { useLink } from '../use_live';
import { KeyHelp } from './key_help';
import { Palette } from './palette';
import { SCREENS } from './screens';
import { Me, SignedIn } from './sign_in';

const LINK_WORDS = { connecting: 'connecting', live: 'live', down: 'reconnecting' };

function LinkSign() {
  const link = useLink();
  const before = useRef(link);
  useEffect(() => {
    if (before.current === 'down' && link === 'live') announce('connected again');
    before.current = link;
  }, [link]);
  return <span id="link" className="link" role="status" data-state={link}>{LINK_WORDS[link]}</span>;
}

function Info() {
  const { data } = useQuery(infoQuery);
  if (!data) return null;
  return <span className="info">{data['version']} {'\u00B7'} {data['engine'] === 'embedded' ? `engine ${data['grpc_address']}` : data['engine']}</span>;
}

// Where the bar has no room for all, the screen that is shown is in view.
const showCurrent = (): void => { void document.querySelector('.bar nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' }); };

// How much waits for a person.
function Waiting() {
  const { data, hasNextPage } = useInfiniteQuery(pendingQuery());
  useEffect(followPending, []);
  const count = pendingOf(data).length;
  useEffect(showCurrent, [count]); // it has made the bar longer
  return count === 0 ? null : <span className="count">{count}{hasNextPage ? '+' : ''}<span className="visually-hidden"> waiting</span></span>;
}

const Icon = ({ d }: { d: string }) => <svg viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.3" strokeLinejoin="round" strokeLinecap="round" aria-hidden="true"><path d={d} /></svg>;

const THEME_SIGNS: Record<Theme, string> = { system: '\u25D0', light: '\u2600', dark: '\u263E' };

function ThemeSwitch() {
  const [theme, setTheme] = useState(chosenTheme);
  const turn = () => {
    const next = nextTheme(theme);
    chooseTheme(next);
    setTheme(next);
  };
  return <button className="button small quiet sign" onClick={turn} aria-label={`Theme: ${theme}`} title={`Theme: ${theme}`}><span aria-hidden="true">{THEME_SIGNS[theme]}</span></button>;
}

// What had the focus may be gone with the screen before: then it is at the screen, and not before the bar.
function useFocusOf(path: string): void {
  const before = useRef(path);
  useEffect(() => {
    if (before.current !== path && (document.activeElement ?? document.body) === document.body) document.getElementById('main')?.focus({ preventScroll: true });
    before.current = path;
  }, [path]);
}

export function Shell() {
  return <SignedIn><Screens /></SignedIn>;
}

function Screens() {
  const navigate = useNavigate();
  const [over, setOver] = useState<'palette' | 'help' | null>(null);
  // Of the screen that is shown, not of the one that is still loading.
  const path = useRouterState({ select: (state) => (state.resolvedLocation ?? state.location).pathname });
  useEffect(showCurrent, [path]);
  useFocusOf(path);
  useKeys([
    { keys: 'mod+k', says: 'Go to anything', run: () => setOver('palette') },
    { keys: '?', says: 'This help', run: () => setOver('help') },
    ...SCREENS.map((screen) => ({ keys: screen.keys, says: screen.says, run: () => void navigate({ to: screen.to }) })),
  ]);
  return (
    <>
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')?.focus(); }}>Skip to the content</a>
      <header className="bar">
        <Link className="brand" to="/runs" aria-label="Holdfast, all runs">
          <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path d="M12 2a3 3 0 0 1 1 5.83V10h4v2h-4v7.9A7 7 0 0 0 18.9 14H17l3-4.5L23 14h-2.1a9 9 0 0 1-17.8 0H1l3-4.5L7 14H5.1a7 7 0 0 0 5.9 5.9V12H7v-2h4V7.83A3 3 0 0 1 12 2Zm0 2a1 1 0 1 0 0 2 1 1 0 0 0 0-2Z" fill="currentColor" /></svg>
          <span>Holdfast</span>
        </Link>
        <nav aria-label="Screens">
          {SCREENS.filter((screen) => screen.inBar).map((screen) => <Link key={screen.to} to={screen.to} activeProps={{ 'aria-current': 'page' }}>{screen.icon && <Icon d={screen.icon} />}{screen.name}{screen.to === '/inbox' && <Waiting />}</Link>)}
        </nav>
        <span className="end-of-bar">
          <Info />
          <LinkSign />
          <button className="button small quiet palette-button" onClick={() => setOver('palette')}>Go to <Keys of="mod+k" /></button>
          <Me />
          <ThemeSwitch />
        </span>
      </header>
      <main id="main" tabIndex={-1}><Boundary key={path}><Outlet /></Boundary></main>
      <div id="announce" className="visually-hidden" aria-live="polite" />
      {over === 'palette' && <Palette onClose={() => setOver(null)} />}
      {over === 'help' && <KeyHelp onClose={() => setOver(null)} />}
    </>
  );
}
