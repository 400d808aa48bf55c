/** Names of several words, in the forms that Guava's CaseFormat knows. */

export const CASE_FORMATS = [
  'LOWER_HYPHEN',
  'LOWER_UNDERSCORE',
  'LOWER_CAMEL',
  'UPPER_CAMEL',
  'UPPER_UNDERSCORE',
] as const;
export type CaseFormat = (typeof CASE_FORMATS)[number];

interface Form {
  /** Where a word begins that is not the first. */
  readonly boundary: RegExp;
  readonly separator: string;
  readonly first: (word: string) => string;
  readonly other: (word: string) => string;
}

// ASCII letters only, as in Guava.
const lower = (word: string): string => word.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
const upper = (word: string): string => word.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
const capital = (word: string): string => upper(word.slice(0, 1)) + lower(word.slice(1));

const FORMS: Readonly<Record<CaseFormat, Form>> = {
  LOWER_HYPHEN: { boundary: /-/g, separator: '-', first: lower, other: lower },
  LOWER_UNDERSCORE: { boundary: /_/g, separator: '_', first: lower, other: lower },
  LOWER_CAMEL: { boundary: /[A-Z]/g, separator: '', first: lower, other: capital },
  UPPER_CAMEL: { boundary: /[A-Z]/g, separator: '', first: capital, other: capital },
  UPPER_UNDERSCORE: { boundary: /_/g, separator: '_', first: upper, other: upper },
};

/** What is written in the same form stays as it is; what is not in the form `from` becomes what its boundaries make of it. */
export function changeCase(text: string, from: CaseFormat, to: CaseFormat): string {
  if (from === to) return text;
  const { boundary, separator } = FORMS[from];
  const form = FORMS[to];
  // Here Guava leaves the letters alone.
  if (form.other === lower && FORMS[from].other === lower) return text.replaceAll(separator, form.separator);
  const words: string[] = [];
  let start = 0;
  for (const { index } of text.matchAll(boundary)) {
    // A capital at the very beginning begins the first word.
    if (index === 0 && separator === '') continue;
    words.push(text.slice(start, index));
    start = index + separator.length;
  }
  words.push(text.slice(start));
  return words.map((word, i) => (i === 0 ? form.first(word) : form.other(word))).join(form.separator);
}
