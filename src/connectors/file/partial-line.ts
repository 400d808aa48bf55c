/** Lines that are passed on before their end is there. What is cut there must not be cut in two. */

const NEWLINE = 10;
const RETURN = 13;

/** Of a line end at the beginning; 0 when there is none, or not all of it. */
export function lineEndBytes(bytes: Buffer): number {
  if (bytes[0] === NEWLINE) return 1;
  return bytes[0] === RETURN && bytes[1] === NEWLINE ? 2 : 0;
}

/** At the end: what may be the beginning of a line end, or of a character. */
export function unfinishedBytes(bytes: Buffer, latin1: boolean): number {
  if (bytes.at(-1) === RETURN) return 1;
  if (latin1) return 0;
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes.at(-back) ?? 0;
    if ((byte & 0xc0) !== 0x80) return back < characterBytes(byte) ? back : 0;
  }
  return 0;
}

/** Of the UTF-8 character that begins with this byte; 1 when none does. */
function characterBytes(first: number): number {
  if (first < 0xc2 || first > 0xf4) return 1;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}
