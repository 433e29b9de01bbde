// Saved views: a name for what the address says of a list. The address is the view; this is a bookmark.

export type ViewSearch = Record<string, string>;
export interface SavedView { name: string; search: ViewSearch }

export const MAX_VIEWS = 32;
export const MAX_NAME = 60;

export const sameView = (a: ViewSearch, b: ViewSearch): boolean => JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

// What storage held, as far as it is views.
export function viewsOf(stored: string | null): SavedView[] {
  try {
    const value: unknown = JSON.parse(stored ?? '[]');
    if (!Array.isArray(value)) return [];
    return value.filter((one): one is SavedView => typeof one?.name === 'string' && typeof one.search === 'object' && one.search !== null
      && Object.values(one.search as object).every((part) => typeof part === 'string')).slice(0, MAX_VIEWS);
  } catch {
    return [];
  }
}

// A name stands for one view; the newest comes last.
export const withView = (views: readonly SavedView[], view: SavedView): SavedView[] => [...views.filter((one) => one.name !== view.name), view].slice(-MAX_VIEWS);
