/**
 * The beginning of a text, and how long it was: for texts of plugins that are kept, sent on and shown. `length`: of the
 * whole, where `text` is its beginning already.
 */
export function cutText(text: string, max: number, length = text.length): string {
  if (length <= max) return text;
  // Not between the halves of a surrogate pair.
  const end = /[\uD800-\uDBFF]/.test(text.charAt(max - 1)) ? max - 1 : max;
  // A copy: a slice would keep the whole text in memory.
  return `${structuredClone(text.slice(0, end))}… (cut, it had ${length} characters)`;
}

/** Breaks of lines, and what a terminal obeys: C0 and C1, line and paragraph separators, marks that turn the direction. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** For a line that people read: one text stays one line, and says nothing to the terminal. */
export function onOneLine(text: string): string {
  return text.replaceAll(
    CONTROL,
    (found) => SHORT[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
