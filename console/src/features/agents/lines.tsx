// Text with line numbers. The numbers are no text: what is selected and copied is the text alone.

import { useState } from 'react';
import { Copy } from '../../ui/copy';

const MAX_LINES = 2000;

export function Lines({ text, label }: { text: string; label: string }) {
  const [shown, setShown] = useState(MAX_LINES);
  const lines = text.split('\n');
  return (
    <div className="lines-box">
      <div className="lines-bar">
        <span className="note">{lines.length.toLocaleString('en')} lines, defaults filled in</span>
        <Copy text={text} />
      </div>
      <pre className="lines" tabIndex={0} role="group" aria-label={label}>{lines.slice(0, shown).map((line, i) => <code key={i} data-line={i + 1}>{`${line}\n`}</code>)}</pre>
      {lines.length > shown && <button className="button small quiet" onClick={() => setShown(shown * 4)}>{(lines.length - shown).toLocaleString('en')} more lines</button>}
    </div>
  );
}
