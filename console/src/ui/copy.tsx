// Copies a text. A page that came over plain HTTP from another machine has no clipboard of its own: there the browser copies what is marked.

import { useEffect, useState } from 'react';
import { announce } from './announce';

const TOLD_MS = 2000;

async function copied(text: string, near: Element): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { /* none, or it is not allowed */ }
  // Beside the button: in a dialog nothing else can be marked.
  const field = document.createElement('textarea');
  field.value = text;
  field.readOnly = true;
  field.className = 'visually-hidden';
  near.after(field);
  const focus = document.activeElement;
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  if (focus instanceof HTMLElement) focus.focus();
  return done;
}

// `what`: of an icon, which says it to those who do not see it.
export function Copy({ text, what }: { text: string; what?: string }) {
  const [told, setTold] = useState('');
  useEffect(() => {
    if (!told) return;
    const timer = setTimeout(() => setTold(''), TOLD_MS);
    return () => clearTimeout(timer);
  }, [told]);
  const copy = (near: Element) => void copied(text, near).then((done) => {
    const words = done ? 'Copied' : 'Mark it, and press Ctrl C';
    setTold(words);
    announce(words);
  });
  return what === undefined
    ? <button type="button" className="button small quiet" onClick={(event) => copy(event.currentTarget)}>{told || 'Copy'}</button>
    : (
      <button type="button" className="copy" aria-label={`Copy ${what}`} title={`Copy ${what}`} onClick={(event) => copy(event.currentTarget)}>
        <svg viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" aria-hidden="true"><rect x="5.5" y="5.5" width="8" height="8" rx="1.5" /><path d="M10.5 3.2A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5a1.5 1.5 0 0 0 .7 1.3" /></svg>
        {told}
      </button>
    );
}
