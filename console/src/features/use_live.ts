// The stream, as hooks.

import { useCallback, useSyncExternalStore } from 'react';
import { live, type LinkState } from '../api/live';
import type { RunLog } from '../model/run_log';

export const useLink = (): LinkState => useSyncExternalStore(live.onLink, () => live.link);

// The run's log, kept current while the caller is there; the number changes with it.
export function useRunLog(id: string): [RunLog, number] {
  const log = live.log(id);
  const version = useSyncExternalStore(useCallback((changed) => live.hold(id, changed), [id]), () => log.version);
  return [log, version];
}
