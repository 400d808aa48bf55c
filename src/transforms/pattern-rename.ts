import { ConfigError, javaPattern } from '../sdk/index.js';
import type { ConfigKey, JavaPattern, ParsedConfig, Plugin, Transform } from '../sdk/index.js';
import { parseReplacement } from './java-replacement.js';
import { KEY, VALUE, type Part } from './part.js';
import { renamesFields } from './renamed-fields.js';

/** The flags of Java's patterns that have a counterpart here, as they are written in a pattern; LITERAL is not. */
const FLAGS: ReadonlyMap<string, string> = new Map([
  ['CASE_INSENSITIVE', 'i'],
  ['COMMENTS', 'x'],
  ['DOTALL', 's'],
  ['LITERAL', ''],
  ['MULTILINE', 'm'],
]);

const CONFIG: readonly ConfigKey[] = [
  {
    name: 'field.pattern',
    type: 'STRING',
    importance: 'HIGH',
    documentation: "Regular expression, in Java's syntax, that is looked for in the names of fields.",
  },
  {
    name: 'field.pattern.flags',
    type: 'LIST',
    defaultValue: '',
    allowed: [...FLAGS.keys()],
    importance: 'LOW',
    documentation: "Flags of the expression, by Java's names.",
  },
  {
    name: 'field.replacement',
    type: 'STRING',
    importance: 'HIGH',
    documentation:
      'What takes the place of each match in a name. $1 or ${name} stand for what a group matched; a backslash takes the meaning of $ away.',
  },
];

/** Renames fields by a regular expression. */
function patternRename(part: Part): Transform {
  return {
    version: '1.0.0',
    config: CONFIG,
    create: (config) => {
      const pattern = patternOf(config);
      const replacement = parseReplacement(config.string('field.replacement'), pattern, 'field.replacement');
      const all = new RegExp(pattern.first.source, `${pattern.first.flags}g`);
      return renamesFields(
        part,
        (name) => {
          let renamed = '';
          let end = 0;
          for (const found of name.matchAll(all)) {
            renamed += name.slice(end, found.index) + replacement(found);
            end = found.index + found[0].length;
          }
          return renamed + name.slice(end);
        },
        'PatternRename',
      );
    },
  };
}

function patternOf(config: ParsedConfig): JavaPattern {
  const text = config.string('field.pattern');
  const flags = config.list('field.pattern.flags');
  const letters = flags.map((flag) => FLAGS.get(flag) ?? '').join('');
  const source = flags.includes('LITERAL') ? `\\Q${text.replaceAll('\\E', '\\E\\\\E\\Q')}\\E` : text;
  try {
    return javaPattern(letters === '' ? source : `(?${letters})${source}`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`field.pattern ${error.message}`, { field: 'field.pattern', code: error.code });
  }
}

export const Key = { type: 'transformation', plugin: patternRename(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: patternRename(VALUE) } satisfies Plugin;
