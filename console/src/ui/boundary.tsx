// What a screen that failed shows instead of itself.

import { Component, type ReactNode } from 'react';
import { wordsOf } from '../model/problem';

export class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };
  static getDerivedStateFromError(error: unknown) { return { error }; }
  override render() {
    return this.state.error === null ? this.props.children : <Failed error={this.state.error} />;
  }
}

export function Failed({ error }: { error: unknown }) {
  return (
    <div className="empty" role="alert">
      <p className="problem">This screen failed: {wordsOf(error)}</p>
      <p>What was acknowledged is on disk; nothing is lost. <button className="button small" onClick={() => location.reload()}>Load it again</button></p>
    </div>
  );
}
