/** What takes the place of a match, in Java's syntax. */
import { ConfigError } from '../sdk/index.js';
import type { JavaPattern } from '../sdk/index.js';

/** The text for a match. */
export type Replacement = (found: RegExpExecArray) => string;

/** `field`: the key that has it. ConfigError for what is none, or names a group that is not there. */
export function parseReplacement(text: string, pattern: JavaPattern, field: string): Replacement {
  try {
    const parts = partsOf(text, pattern);
    return (found) => parts.map((part) => part(found)).join('');
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    throw new ConfigError(`the replacement cannot be used: ${error.message}`, { field });
  }
}

class Unusable extends Error {}

function partsOf(text: string, pattern: JavaPattern): readonly Replacement[] {
  const parts: Replacement[] = [];
  for (const [token] of text.matchAll(/\\[^]?|\$\{[^}]*\}?|\$\d*|[^\\$]+/g)) {
    if (token === '\\') throw new Unusable('it ends in a backslash, which must have a character after it');
    if (token.startsWith('\\')) parts.push(literal(token.slice(1)));
    else if (token.startsWith('${')) parts.push(namedGroup(token, pattern));
    else if (token.startsWith('$')) parts.push(...numberedGroup(token, pattern));
    else parts.push(literal(token));
  }
  return parts;
}

function literal(text: string): Replacement {
  return () => text;
}

function namedGroup(token: string, pattern: JavaPattern): Replacement {
  const number = pattern.groupNames.get(token.slice(2, -1));
  if (number === undefined || !token.endsWith('}')) throw noGroup(token);
  return group(number, token, pattern);
}

/** As many digits as name a group; the others are text. */
function numberedGroup(token: string, pattern: JavaPattern): readonly Replacement[] {
  const digits = token.slice(1);
  let length = digits.length;
  while (length > 1 && Number(digits.slice(0, length)) > pattern.groupCount) length -= 1;
  const number = Number(digits.slice(0, length));
  if (digits === '' || number > pattern.groupCount) throw noGroup(token);
  return [group(number, token, pattern), literal(digits.slice(length))];
}

function group(number: number, token: string, { forgetful }: JavaPattern): Replacement {
  if (number === 0) return (found) => found[0];
  if (forgetful.has(number))
    throw new Unusable(
      `${token} stands in a repetition that may pass it over, so its text is not certain: put the group outside of it`,
    );
  return (found) => found.groups?.[`g${number}`] ?? '';
}

function noGroup(token: string): Unusable {
  return new Unusable(`it refers to ${token}, which is no group of the regex; for a $ itself write \\$`);
}
