// On which version a run goes on.

import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { labelsQuery, versionsQuery } from '../../api/agents';
import type { Run } from '../../api/client';

export function VersionField({ run, version, onVersion }: { run: Run; version: string; onVersion: (version: string) => void }) {
  const labels = useQuery(labelsQuery(run.agent)).data ?? [];
  const versions = useInfiniteQuery(versionsQuery(run.agent)).data?.pages.flatMap((page) => page.versions) ?? [];
  const had = run.version ?? '';
  return (
    <label>On version
      <select name="version" value={version} onChange={(event) => onVersion(event.target.value)}>
        <option value="">the one it had ({had.slice(0, 12)})</option>
        <option value="current">the current one</option>
        {labels.map((one) => <option key={one.label} value={one.label}>{one.label} ({one.version.slice(0, 12)})</option>)}
        {versions.filter((one) => one.version !== had).map((one) => <option key={one.version} value={one.version}>{one.version.slice(0, 12)}</option>)}
      </select>
    </label>
  );
}
