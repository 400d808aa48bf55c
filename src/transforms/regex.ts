/** Regular expressions in configurations: they must match the whole text, as in Kafka Connect. */

export function fullMatch(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}

/** For `validator`. */
export function regexProblem(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return 'must be a regular expression';
  try {
    // Alone first: `a)(b` is balanced only by what is put around it.
    new RegExp(value);
    fullMatch(value);
    return null;
  } catch (error) {
    return `must be a regular expression of JavaScript: ${error instanceof Error ? error.message : String(error)}`;
  }
}
