// Keys and sequences of keys ("g r") to what they do.

export interface Binding {
  keys: string; // 'j', 'g r', 'mod+k'
  says: string; // for the help
  run: () => void;
}

interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

const nameOf = (press: Press): string | null => {
  if (press.altKey) return null;
  return press.ctrlKey || press.metaKey ? `mod+${press.key.toLowerCase()}` : press.key;
};

export const SEQUENCE_MS = 1200;

// Gives what a press means, with those before it.
export class KeyReader {
  #before = '';
  #at = 0;

  read(press: Press, typing: boolean, bindings: readonly Binding[], now: number): Binding | null {
    const name = nameOf(press);
    if (name === null || (typing && !name.startsWith('mod+'))) return null;
    const sequence = this.#before && now - this.#at < SEQUENCE_MS ? `${this.#before} ${name}` : name;
    // The newest binding of a key wins: a dialog's before the page's.
    const find = (keys: string) => bindings.findLast((one) => one.keys === keys) ?? null;
    const found = find(sequence) ?? find(name);
    const begins = bindings.some((one) => one.keys.startsWith(`${name} `));
    this.#before = !found && begins ? name : '';
    this.#at = now;
    return found;
  }
}
