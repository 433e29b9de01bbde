// Forks from an item of the transcript, and says so at each where something can go on.

export function Here({ words, onFork }: { words: string; onFork: () => void }) {
  return (
    <button type="button" className="here" data-do="fork" aria-label={`Fork from here: ${words}`} title={`Fork from here: ${words}`} onClick={onFork}>
      <svg viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true"><circle cx="4" cy="3" r="1.7" /><circle cx="4" cy="13" r="1.7" /><circle cx="12" cy="5" r="1.7" /><path d="M4 4.7v6.6M12 6.7c0 2.6-8 1.6-8 4.6" /></svg>
    </button>
  );
}
