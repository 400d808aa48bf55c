/**
 * Regular expressions in Java's syntax, as Kafka Connect's configurations have them. Each is translated into one of
 * JavaScript that matches the same texts. What has no counterpart is refused: it would match something else in silence.
 */
import { ConfigError } from '../errors.js';
import { isForgetful } from './groups.js';
import { Untranslatable } from './sets.js';
import { Translation } from './translate.js';

export interface JavaPattern {
  /** Matches a text as a whole, as Java's `matches()` does. Without flags that keep a state. */
  readonly whole: RegExp;
  /** Finds the first match in a text, as Java's `find()` does. */
  readonly first: RegExp;
  /** The groups of `$1`, `$2` … are named `g1`, `g2` … in both. */
  readonly groupCount: number;
  /** The numbers of the groups that have names. */
  readonly groupNames: ReadonlyMap<string, number>;
  /** The groups whose text may be another than in Java, after a repetition. */
  readonly forgetful: ReadonlySet<number>;
}

/** What a topic's name is matched by has some dozens. */
const MAX_LENGTH = 10_000;

/** Throws ConfigError BAD_REGEX, which says what is wrong or not supported. */
export function javaPattern(pattern: string): JavaPattern {
  try {
    if (pattern.length > MAX_LENGTH) throw new Untranslatable(`it is longer than ${MAX_LENGTH} characters`);
    const { source, groups, names } = new Translation(pattern);
    return {
      whole: compiled(`^(?:${source})$`),
      first: compiled(source),
      groupCount: groups.length,
      groupNames: names,
      forgetful: new Set(groups.flatMap((group) => (isForgetful(group) ? [group.number ?? 0] : []))),
    };
  } catch (error) {
    if (!(error instanceof Untranslatable)) throw error;
    throw new ConfigError(`must be a regular expression in Java's syntax: ${error.message}`, {
      code: 'BAD_REGEX',
      cause: error,
    });
  }
}

/** V8 compiles at the first use, and only then says that an expression is too large. */
function compiled(source: string): RegExp {
  try {
    const regex = new RegExp(source, 'v');
    // Once for each of its kinds of text.
    regex.test('');
    regex.test('\u0100');
    return regex;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The message begins with the whole expression.
    throw new Untranslatable(error.message.slice(error.message.lastIndexOf(': ') + 2).slice(0, 200));
  }
}

/** For the `validator` of a key that holds a regular expression. */
export function javaPatternProblem(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return 'must be a regular expression';
  try {
    javaPattern(value);
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}
