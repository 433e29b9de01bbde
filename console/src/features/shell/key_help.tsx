import { useState } from 'react';
import { Dialog } from '../../ui/dialog';
import { Keys } from '../../ui/keys';
import { boundKeys } from '../../ui/use_keys';

export function KeyHelp({ onClose }: { onClose: () => void }) {
  const [bindings] = useState(boundKeys);
  return (
    <Dialog label="Keys" onClose={onClose}>
      <h2>Keys</h2>
      <dl className="keys">
        {bindings.map((binding) => (
          <div key={binding.keys}>
            <dt><Keys of={binding.keys} /></dt>
            <dd>{binding.says}</dd>
          </div>
        ))}
      </dl>
      <button className="button small" onClick={onClose}>Close</button>
    </Dialog>
  );
}
