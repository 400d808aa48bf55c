import { ConfigError, DataError, fieldOf, PerSchema } from '../sdk/index.js';
import type { Plugin, Schema, Transform } from '../sdk/index.js';
import { KEY, nonEmptyText, REPLACE_NULL_KEY, requireFields, VALUE, type Part } from './part.js';

/** Puts one field in the place of the whole. */
function extractField(part: Part): Transform {
  return {
    version: '1.0.0',
    config: [
      {
        name: 'field',
        type: 'STRING',
        importance: 'MEDIUM',
        documentation:
          'The field to extract. With field.syntax.version V2 a path to it, its names separated by dots.',
        validator: nonEmptyText,
      },
      {
        name: 'field.syntax.version',
        type: 'STRING',
        defaultValue: 'V1',
        allowed: ['V1', 'V2'],
        anyCase: true,
        importance: 'HIGH',
        documentation:
          'V1: the name is one field, dots and all. V2: dots lead into nested fields; a name with dots in it is put in backticks.',
      },
      REPLACE_NULL_KEY,
    ],
    create: (config) => {
      const field = config.string('field');
      const path = config.string('field.syntax.version') === 'V2' ? parsePath(field) : [field];
      const replaceNull = config.boolean('replace.null.with.default');
      const schemas = new PerSchema((schema) => schemaAt(schema, path));
      return {
        apply: (record) => {
          const schema = part.schema(record);
          const extracted = schema === null ? null : schemas.of(schema);
          return part.replace(record, extracted, valueAt(part.value(record), schema, path, replaceNull));
        },
      };
    },
  };
}

/**
 * `a.b` and `` `a.b`.c `` into names. In backticks one that no dot follows is part of the name, and with a backslash before it one
 * that a dot follows. ConfigError when it is not a path.
 */
function parsePath(text: string): readonly string[] {
  const names: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === '`') {
      const end = closingBacktick(text, at + 1);
      names.push(text.slice(at + 1, end).replaceAll('\\`.', '`.'));
      at = end + 2;
    } else {
      const dot = text.indexOf('.', at);
      const end = dot < 0 ? text.length : dot;
      names.push(text.slice(at, end));
      at = end + 1;
    }
  }
  return text.endsWith('.') ? [...names, ''] : names;
}

/** The next one at the end, or with a dot behind it and no backslash before it. */
function closingBacktick(text: string, start: number): number {
  for (let at = text.indexOf('`', start); at >= 0; at = text.indexOf('`', at + 1)) {
    const escaped = text[at - 1] === '\\';
    if (at === text.length - 1 ? !escaped : text[at + 1] === '.' && !escaped) return at;
  }
  throw new ConfigError(
    `"${text}" is not a path: names separated by dots, in backticks where they hold dots themselves`,
    { field: 'field' },
  );
}

function schemaAt(schema: Schema, path: readonly string[]): Schema {
  let current = schema;
  for (const name of path) {
    const found = current.fields?.find((field) => field.name === name);
    if (found === undefined) {
      throw new DataError(`ExtractField: the schema has no field ${path.join('.')}`, {
        code: 'NO_SUCH_FIELD',
      });
    }
    current = found.schema;
  }
  return current;
}

/** As in Kafka Connect the structs on the way always have their defaults, and the last field as `replaceNull` says. */
function valueAt(
  value: unknown,
  schema: Schema | null,
  path: readonly string[],
  replaceNull: boolean,
): unknown {
  let current: unknown = value;
  let currentSchema = schema;
  for (const [depth, name] of path.entries()) {
    if (current === null || current === undefined) return null;
    current = fieldOf(requireFields(current, currentSchema, 'ExtractField'), name);
    currentSchema = currentSchema?.fields?.find((field) => field.name === name)?.schema ?? null;
    if (replaceNull || depth < path.length - 1) current ??= currentSchema?.defaultValue;
  }
  return current ?? null;
}

export const Key = { type: 'transformation', plugin: extractField(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: extractField(VALUE) } satisfies Plugin;
