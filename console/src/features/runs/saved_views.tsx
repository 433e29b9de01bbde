// Names for filters, kept by this browser. What a view is, its address says: it can be sent to somebody else.

import { Link } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { MAX_NAME, sameView, viewsOf, withView, type SavedView, type ViewSearch } from '../../model/views';
import { announce } from '../../ui/announce';

const KEY = 'holdfast.views.runs';

function stored(): SavedView[] {
  try {
    return viewsOf(localStorage.getItem(KEY));
  } catch {
    return []; // no storage in this browser
  }
}

export function SavedViews({ search }: { search: ViewSearch }) {
  const [views, setViews] = useState(stored);
  const [name, setName] = useState<string | null>(null); // while it is typed
  const keep = (next: SavedView[]) => {
    setViews(next);
    try {
      localStorage.setItem(KEY, JSON.stringify(next));
    } catch { /* it lasts as long as the page */ }
  };
  const save = (event: FormEvent) => {
    event.preventDefault();
    const chosen = (name ?? '').trim();
    if (!chosen) return;
    keep(withView(stored(), { name: chosen, search }));
    setName(null);
    announce(`saved as ${chosen}`);
  };
  const shown = views.find((view) => sameView(view.search, search));
  const some = Object.keys(search).length > 0;
  if (views.length === 0 && !some) return null;
  return (
    <nav className="views" aria-label="Saved views">
      {views.map((view) => (
        <span key={view.name} className="view">
          <Link to="/runs" search={view.search} activeProps={{}} inactiveProps={{}} aria-current={view === shown ? 'true' : undefined}>{view.name}</Link>
          {view === shown && <button className="button small quiet sign" aria-label={`Forget the view ${view.name}`} onClick={() => keep(stored().filter((one) => one.name !== view.name))}><span aria-hidden="true">{'\u2715'}</span></button>}
        </span>
      ))}
      {name !== null ? (
        <form className="view-form" onSubmit={save}>
          <input id="view-name" autoFocus aria-label="Name of the view" placeholder="Name" maxLength={MAX_NAME} value={name} onChange={(event) => setName(event.target.value)}
            onKeyDown={(event) => { if (event.key === 'Escape') setName(null); }} />
          <button className="button small" type="submit" disabled={!name.trim()}>Save</button>
        </form>
      ) : some && !shown && <button className="button small quiet" onClick={() => setName('')}>Save view</button>}
    </nav>
  );
}
