// A modal dialog: the browser's own, which keeps the focus inside and gives it back.

import { useEffect, useRef, type MouseEvent, type ReactNode } from 'react';

// What was pressed inside and let go outside (text that is marked) is no click beside it; nor is one into its own margins.
const isBeside = (element: HTMLElement, { clientX: x, clientY: y }: MouseEvent): boolean => {
  const box = element.getBoundingClientRect();
  return x < box.left || x > box.right || y < box.top || y > box.bottom;
};

export function Dialog({ label, onClose, children, className }: { label: string; onClose: () => void; children: ReactNode; className?: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const pressedBeside = useRef(false);
  useEffect(() => {
    const element = dialog.current!;
    if (!element.open) element.showModal();
    return () => element.close();
  }, []);
  return (
    <dialog ref={dialog} className={className} aria-label={label} onCancel={(event) => { event.preventDefault(); onClose(); }}
      onPointerDown={(event) => { pressedBeside.current = event.target === dialog.current && isBeside(event.currentTarget, event); }}
      onClick={(event) => { if (pressedBeside.current && event.target === dialog.current && isBeside(event.currentTarget, event)) onClose(); }}>
      {children}
    </dialog>
  );
}
