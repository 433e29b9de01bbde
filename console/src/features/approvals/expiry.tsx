// Until when somebody can decide.

import { momentOf, until } from '../../model/text';
import { useNow } from '../../ui/use_now';

const SOON_MS = 300_000;

export function Expiry({ at }: { at: number }) {
  const now = useNow(1000);
  return <p className={`note expiry${at - now < SOON_MS ? ' soon' : ''}`}><time dateTime={new Date(at).toISOString()} title={momentOf(at)}>{until(at, now)}</time></p>;
}
