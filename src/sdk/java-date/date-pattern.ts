/** Patterns of Java's SimpleDateFormat, cut into letters and text. */

export const MONTHS =
  'January February March April May June July August September October November December'.split(' ');
export const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
export const DAY_MS = 86_400_000;

const LETTERS = 'G y Y M L w W D d F E u a H k K h m s S z Z X';

/** `count`: how often the letter stands. */
export type DatePiece = { readonly text: string } | { readonly letter: string; readonly count: number };

/** A problem as text when it is no pattern. */
export function parseDatePattern(pattern: string): readonly DatePiece[] | { readonly problem: string } {
  const pieces: DatePiece[] = [];
  for (const [token, quoted] of pattern.matchAll(/''|'((?:[^']|'')+)'|([A-Za-z])\2*|[^A-Za-z']+|'/g)) {
    const letter = token[0] ?? '';
    if (token === "'") return { problem: "has a ' without another: text in a time stands between two '" };
    if (quoted !== undefined || !/[A-Za-z]/.test(letter)) {
      pieces.push({ text: (quoted ?? token).replaceAll("''", "'") });
      continue;
    }
    if (!LETTERS.includes(letter) || (letter === 'X' && token.length > 3))
      return {
        problem: `${JSON.stringify(token)} is nothing in a time format: there are ${LETTERS}, and text in ' '`,
      };
    pieces.push({ letter, count: token.length });
  }
  return pieces;
}
