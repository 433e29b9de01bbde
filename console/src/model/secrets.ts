// What is sent of a secret: pure.

export const SECRET_NAME = '[A-Za-z0-9_.\\-]{1,64}';
export const MAX_SECRET_BYTES = 65_536;

// A line break at the end of a file is rarely meant: left away unless somebody says that it belongs to the value.
export function valueOfFile(bytes: Uint8Array, exact: boolean): Uint8Array {
  if (exact || bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}

export function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

// What is wrong with it before it is sent.
export function sizeProblem(size: number): string | undefined {
  if (size === 0) return 'A secret has at least one byte.';
  return size > MAX_SECRET_BYTES ? `A secret has at most ${MAX_SECRET_BYTES.toLocaleString('en')} bytes, and this has ${size.toLocaleString('en')}.` : undefined;
}
