// The stream, as hooks.

import { useCallback, useSyncExternalStore } from 'react';
import { live, type LinkState } from '../api/live';
import { RunLog } from '../model/run_log';

export const useLink = (): LinkState => useSyncExternalStore(live.onLink, () => live.link);

const NOTHING = new RunLog('');
const never = () => () => {};

// The run's log, kept current while the caller is there; the number changes with it. Without an id, nothing's.
export function useRunLog(id: string | undefined): [RunLog, number] {
  const log = id === undefined ? NOTHING : live.log(id);
  const version = useSyncExternalStore(useCallback((changed: () => void) => (id === undefined ? never() : live.hold(id, changed)), [id]), () => log.version);
  return [log, version];
}
