// Keys as they are named on the keyboard of who looks.

const MOD = /Mac|iPhone|iPad/.test(navigator.platform) ? '\u2318' : 'Ctrl';

const namesOf = (keys: string): string[] => (keys.startsWith('mod+') ? [MOD, keys.slice('mod+'.length).toUpperCase()] : keys.split(' '));

export const Keys = ({ of }: { of: string }) => <span className="keys-of">{namesOf(of).map((key) => <kbd key={key}>{key}</kbd>)}</span>;
