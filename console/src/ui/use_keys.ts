// Keys of whoever is on the page, and what all of them are.

import { useEffect, useRef } from 'react';
import { KeyReader, type Binding } from '../model/keys';

const bound = new Set<{ current: Binding[] }>();
const reader = new KeyReader();

export const boundKeys = (): Binding[] => [...bound].flatMap((one) => one.current);

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));
}

addEventListener('keydown', (event) => {
  if (event.defaultPrevented) return;
  const inDialog = event.target instanceof Element && event.target.closest('dialog') !== null;
  const found = reader.read(event, isTyping(event.target), boundKeys(), event.timeStamp);
  if (!found || (inDialog && !found.keys.startsWith('mod+'))) return;
  event.preventDefault();
  found.run();
});

export function useKeys(bindings: Binding[]): void {
  const own = useRef(bindings);
  useEffect(() => { own.current = bindings; });
  useEffect(() => {
    bound.add(own);
    return () => { bound.delete(own); };
  }, []);
}
