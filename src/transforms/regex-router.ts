import { ConfigError, javaPattern, javaPatternProblem, withTopic } from '../sdk/index.js';
import type { JavaPattern, Plugin, Transform } from '../sdk/index.js';
import { nonEmptyText } from './part.js';

/** Renames topics by a regular expression that matches the whole name. */
const transform: Transform = {
  version: '1.0.0',
  config: [
    {
      name: 'regex',
      type: 'STRING',
      importance: 'HIGH',
      documentation:
        "Regular expression, in Java's syntax. Topics that it does not match wholly keep their name.",
      validator: javaPatternProblem,
    },
    {
      name: 'replacement',
      type: 'STRING',
      importance: 'HIGH',
      documentation:
        'The new name. $1 or ${name} stand for what a group matched; a backslash takes the meaning of $ away. As in Java, it replaces the first match that is found in the name, which is the whole name for most expressions.',
      validator: nonEmptyText,
    },
  ],
  create: (config) => {
    const pattern = javaPattern(config.string('regex'));
    const replacement = parseReplacement(config.string('replacement'), pattern);
    let lastTopic: string | null = null;
    let lastResult: string | null = null;
    return {
      apply: (record) => {
        const { topic } = record;
        if (topic === null) return record;
        if (topic !== lastTopic || lastResult === null) {
          lastResult = renamed(topic, pattern, replacement);
          lastTopic = topic;
        }
        return lastResult === topic ? record : withTopic(record, lastResult);
      },
    };
  },
};

type ReplacementPart = (found: RegExpExecArray) => string;

/** What matches as a whole may still have a shorter match that is found first: `a|ab` in "ab". */
function renamed(
  topic: string,
  { whole, first }: JavaPattern,
  replacement: readonly ReplacementPart[],
): string {
  const found = whole.test(topic) ? first.exec(topic) : null;
  if (found === null) return topic;
  const name = replacement.map((part) => part(found)).join('');
  return topic.slice(0, found.index) + name + topic.slice(found.index + found[0].length);
}

/** Java's replacement syntax. ConfigError for what is none, or names a group that is not there. */
function parseReplacement(text: string, pattern: JavaPattern): readonly ReplacementPart[] {
  const parts: ReplacementPart[] = [];
  for (const [token] of text.matchAll(/\\[^]?|\$\{[^}]*\}?|\$\d*|[^\\$]+/g)) {
    if (token === '\\') throw badReplacement('it ends in a backslash, which must have a character after it');
    if (token.startsWith('\\')) parts.push(literal(token.slice(1)));
    else if (token.startsWith('${')) parts.push(namedGroup(token, pattern));
    else if (token.startsWith('$')) parts.push(...numberedGroup(token, pattern));
    else parts.push(literal(token));
  }
  return parts;
}

function literal(text: string): ReplacementPart {
  return () => text;
}

function namedGroup(token: string, pattern: JavaPattern): ReplacementPart {
  const number = pattern.groupNames.get(token.slice(2, -1));
  if (number === undefined || !token.endsWith('}')) throw noGroup(token);
  return group(number, token, pattern);
}

/** As many digits as name a group; the others are text. */
function numberedGroup(token: string, pattern: JavaPattern): readonly ReplacementPart[] {
  const digits = token.slice(1);
  let length = digits.length;
  while (length > 1 && Number(digits.slice(0, length)) > pattern.groupCount) length -= 1;
  const number = Number(digits.slice(0, length));
  if (digits === '' || number > pattern.groupCount) throw noGroup(token);
  return [group(number, token, pattern), literal(digits.slice(length))];
}

function group(number: number, token: string, { forgetful }: JavaPattern): ReplacementPart {
  if (number === 0) return (found) => found[0];
  if (forgetful.has(number))
    throw badReplacement(
      `${token} stands in a repetition that may pass it over, so its text is not certain: put the group outside of it`,
    );
  return (found) => found.groups?.[`g${number}`] ?? '';
}

function noGroup(token: string): ConfigError {
  return badReplacement(`it refers to ${token}, which is no group of the regex; for a $ itself write \\$`);
}

function badReplacement(problem: string): ConfigError {
  return new ConfigError(`the replacement cannot be used: ${problem}`, { field: 'replacement' });
}

export default { type: 'transformation', plugin: transform } satisfies Plugin;
