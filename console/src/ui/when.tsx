// When something was: how long ago, which goes on by itself, with the moment for who points at it; or the moment.

import { ago, momentOf } from '../model/text';
import { useNow } from './use_now';

const EVERY_MS = 10_000;

export function Ago({ at, className }: { at: string; className?: string }) {
  const now = useNow(EVERY_MS);
  return <time className={className} dateTime={at} title={momentOf(Date.parse(at))}>{ago(at, now)}</time>;
}

export const Moment = ({ at }: { at: string }) => <time dateTime={at} title={at}>{momentOf(Date.parse(at))}</time>;
