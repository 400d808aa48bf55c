import { fieldOf, isInherited, PerSchema, setField } from '../sdk/index.js';
import type { ConfigDefinition, Fields, ParsedConfig, Plugin, Schema, Transform } from '../sdk/index.js';
import {
  KEY,
  noEmptyItem,
  nullInField,
  REPLACE_NULL_KEY,
  requireFields,
  structLike,
  VALUE,
  type Part,
} from './part.js';

const CONFIG: ConfigDefinition = [
  {
    name: 'exclude',
    aliases: ['blacklist'],
    type: 'LIST',
    defaultValue: '',
    importance: 'MEDIUM',
    documentation: 'Fields to leave out. Takes precedence over include.',
    validator: noEmptyItem,
  },
  {
    name: 'include',
    aliases: ['whitelist'],
    type: 'LIST',
    defaultValue: '',
    importance: 'MEDIUM',
    documentation: 'Where given, only these fields are kept.',
    validator: noEmptyItem,
  },
  {
    name: 'renames',
    type: 'LIST',
    defaultValue: '',
    importance: 'MEDIUM',
    documentation: 'New names of fields, as old:new pairs: foo:bar,abc:xyz',
    validator: (value) => {
      const pairs = Array.isArray(value) ? (value as readonly string[]) : [];
      const bad = pairs.find((pair) => !/^[^:]+:[^:]+$/.test(pair));
      return bad === undefined ? null : `must be pairs such as old:new, which "${bad}" is not`;
    },
  },
  REPLACE_NULL_KEY,
];

interface Names {
  readonly keeps: (name: string) => boolean;
  readonly renamed: (name: string) => string;
}

interface Copied {
  readonly from: string;
  readonly to: string;
  /** For a null; undefined: a null stays. */
  readonly standIn: unknown;
  readonly refusesNull: boolean;
  readonly inherited: boolean;
}

/** Leaves out or renames fields. */
function replaceField(part: Part): Transform {
  return {
    version: '1.0.0',
    config: CONFIG,
    create: (config) => {
      const names = namesOf(config);
      const replaceNull = config.boolean('replace.null.with.default');
      const plans = new PerSchema((schema) => planFor(schema, names, replaceNull));
      return {
        apply: (record) => {
          const value = part.value(record);
          if (value === null || value === undefined) return record;
          const schema = part.schema(record);
          const fields = requireFields(value, schema, 'ReplaceField');
          if (schema === null) return part.replace(record, null, withoutSchema(fields, names));
          const plan = plans.of(schema);
          return part.replace(record, plan.schema, copy(fields, plan.copied));
        },
      };
    },
  };
}

function namesOf(config: ParsedConfig): Names {
  const exclude = new Set(config.list('exclude'));
  const include = new Set(config.list('include'));
  const renames = new Map(
    config.list('renames').map((pair): [string, string] => {
      const [from = '', to = ''] = pair.split(':');
      return [from.trim(), to.trim()];
    }),
  );
  const keepsAll = exclude.size === 0 && include.size === 0;
  return {
    keeps: (name) => keepsAll || (!exclude.has(name) && (include.size === 0 || include.has(name))),
    renamed: (name) => renames.get(name) ?? name,
  };
}

function planFor(
  schema: Schema,
  names: Names,
  replaceNull: boolean,
): { schema: Schema; copied: readonly Copied[] } {
  const builder = structLike(schema);
  const copied: Copied[] = [];
  for (const field of schema.fields ?? []) {
    if (!names.keeps(field.name)) continue;
    const to = names.renamed(field.name);
    builder.field(to, field.schema);
    const { defaultValue, optional } = field.schema;
    const standIn = replaceNull ? defaultValue : undefined;
    const refusesNull = !replaceNull && !optional && defaultValue !== undefined;
    copied.push({
      from: field.name,
      to,
      standIn,
      refusesNull,
      inherited: isInherited(field.name) || isInherited(to),
    });
  }
  return { schema: builder.build(), copied };
}

function copy(fields: Fields, copied: readonly Copied[]): Fields {
  const updated: Record<string, unknown> = {};
  for (const { from, to, standIn, refusesNull, inherited } of copied) {
    const found = inherited ? fieldOf(fields, from) : fields[from];
    const value = found ?? standIn ?? null;
    if (refusesNull && value === null) throw nullInField(from);
    if (inherited) setField(updated, to, value);
    else updated[to] = value;
  }
  return updated;
}

function withoutSchema(fields: Fields, names: Names): Fields {
  const updated: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    if (names.keeps(name)) setField(updated, names.renamed(name), fields[name]);
  }
  return updated;
}

export const Key = { type: 'transformation', plugin: replaceField(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: replaceField(VALUE) } satisfies Plugin;
