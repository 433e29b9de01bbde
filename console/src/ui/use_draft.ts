// What somebody has begun to write, kept over a reload of the page; and the id under which it was sent, so that what is
// sent again after a doubtful answer is the same message.

import { useState } from 'react';

interface Draft { text: string; sent?: { text: string; id: string } }

function read(key: string): Draft {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(key) ?? 'null');
    if (stored !== null && typeof stored === 'object' && typeof (stored as Draft).text === 'string') return stored as Draft;
  } catch { /* no storage, or something else in it */ }
  return { text: '' };
}

export function useDraft(name: string): { text: string; write: (text: string) => void; idOfSending: () => string; clear: () => void } {
  const key = `holdfast.draft.${name}`;
  const [draft, setDraft] = useState(() => read(key));
  const keep = (next: Draft) => {
    setDraft(next);
    try {
      if (next.text || next.sent) sessionStorage.setItem(key, JSON.stringify(next));
      else sessionStorage.removeItem(key);
    } catch { /* it lasts as long as the page */ }
  };
  return {
    text: draft.text,
    write: (text) => keep({ ...draft, text }),
    idOfSending: () => {
      if (draft.sent?.text === draft.text) return draft.sent.id;
      const id = crypto.randomUUID();
      keep({ text: draft.text, sent: { text: draft.text, id } });
      return id;
    },
    clear: () => keep({ text: '' }),
  };
}
