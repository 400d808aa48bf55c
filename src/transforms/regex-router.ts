import { ConfigError, withTopic } from '../sdk/index.js';
import type { Plugin, Transform } from '../sdk/index.js';
import { nonEmptyText } from './part.js';
import { fullMatch, regexProblem } from './regex.js';

/** Renames topics by a regular expression that matches the whole name. */
const transform: Transform = {
  version: '1.0.0',
  config: [
    {
      name: 'regex',
      type: 'STRING',
      importance: 'HIGH',
      documentation: 'Regular expression. Topics that it does not match wholly keep their name.',
      validator: regexProblem,
    },
    {
      name: 'replacement',
      type: 'STRING',
      importance: 'HIGH',
      documentation:
        'The new name. $1 or ${name} stand for what a group matched; a backslash takes the meaning of $ away.',
      validator: nonEmptyText,
    },
  ],
  create: (config) => {
    const pattern = config.string('regex');
    const regex = fullMatch(pattern);
    const replacement = parseReplacement(config.string('replacement'), groupsOf(pattern));
    let lastTopic: string | null = null;
    let lastResult: string | null = null;
    const rename = (topic: string): string => {
      const found = regex.exec(topic);
      return found === null ? topic : replacement.map((part) => part(found)).join('');
    };
    return {
      apply: (record) => {
        const { topic } = record;
        if (topic === null) return record;
        if (topic !== lastTopic || lastResult === null) {
          lastResult = rename(topic);
          lastTopic = topic;
        }
        return lastResult === topic ? record : withTopic(record, lastResult);
      },
    };
  },
};

type ReplacementPart = (found: RegExpExecArray) => string;

interface Groups {
  readonly count: number;
  readonly names: ReadonlySet<string>;
}

function groupsOf(pattern: string): Groups {
  // With an empty alternative it matches anything, and the match lists the groups.
  const found = new RegExp(`${pattern}|`).exec('');
  return { count: (found?.length ?? 1) - 1, names: new Set(Object.keys(found?.groups ?? {})) };
}

/** Java's replacement syntax. ConfigError for a group that is not there. */
function parseReplacement(text: string, groups: Groups): readonly ReplacementPart[] {
  const parts: ReplacementPart[] = [];
  for (const [token] of text.matchAll(/\\.?|\$\{\w*\}|\$\d*|[^\\$]+/gs)) {
    if (token.startsWith('\\')) parts.push(literal(token.slice(1)));
    else if (token.startsWith('${')) parts.push(namedGroup(token.slice(2, -1), groups));
    else if (token.startsWith('$')) parts.push(...numberedGroup(token.slice(1), groups));
    else parts.push(literal(token));
  }
  return parts;
}

function literal(text: string): ReplacementPart {
  return () => text;
}

function namedGroup(name: string, groups: Groups): ReplacementPart {
  if (!groups.names.has(name)) throw noGroup(`\${${name}}`);
  return (found) => found.groups?.[name] ?? '';
}

/** As many digits as name a group; the others are text. */
function numberedGroup(digits: string, groups: Groups): readonly ReplacementPart[] {
  let length = digits.length;
  while (length > 1 && Number(digits.slice(0, length)) > groups.count) length -= 1;
  const group = Number(digits.slice(0, length));
  if (digits === '' || group > groups.count) throw noGroup(`$${digits}`);
  return [(found) => found[group] ?? '', literal(digits.slice(length))];
}

function noGroup(reference: string): ConfigError {
  return new ConfigError(`the replacement refers to ${reference}, which is no group of the regex`, {
    field: 'replacement',
  });
}

export default { type: 'transformation', plugin: transform } satisfies Plugin;
