/** Structs, and objects and maps with text keys, whose fields have other names: by a rule that goes for each of them. */
import { DataError, describeValue, isFields, PerSchema, SchemaBuilder, setField } from '../sdk/index.js';
import type { Fields, Schema, Transform, TransformInstance } from '../sdk/index.js';
import type { Part } from './part.js';

export type Rename = (name: string) => string;

/** A null without a schema passes. `purpose`: the transform's name. */
export function renamesFields(part: Part, rule: Rename, purpose: string): TransformInstance {
  const rename = remembered(rule);
  const schemas = new PerSchema((schema) => renamedSchema(schema, rename));
  const apply: ReturnType<Transform['create']>['apply'] = (record) => {
    const value = part.value(record) ?? null;
    const schema = part.schema(record);
    if (value === null && (schema === null || schema.optional)) {
      return schema === null ? record : part.replace(record, schemas.of(schema), null);
    }
    const mapped = value instanceof Map && schema?.type === 'MAP' ? renamedMap(value, rename) : null;
    if (mapped !== null) return part.replace(record, schema, mapped);
    if (!isFields(value) || (schema !== null && schema.type !== 'STRUCT' && schema.type !== 'MAP'))
      throw new DataError(`${purpose} needs fields, and there are none in ${describeValue(value)}`, {
        code: 'NOT_A_STRUCT',
      });
    return part.replace(record, schema === null ? null : schemas.of(schema), renamed(value, rename));
  };
  return { apply };
}

/** Names of fields are few, as a rule; where they are not, no more are kept. */
const MAX_KNOWN = 1000;

function remembered(rule: Rename): Rename {
  const known = new Map<string, string>();
  return (name) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const made = rule(name);
    if (known.size < MAX_KNOWN) known.set(name, made);
    return made;
  };
}

/** Everything else of it is kept. */
function renamedSchema(schema: Schema, rename: Rename): Schema {
  if (schema.type !== 'STRUCT') return schema;
  const builder = SchemaBuilder.basics(schema);
  for (const { name, schema: field } of schema.fields ?? []) builder.field(rename(name), field);
  if (isFields(schema.defaultValue)) builder.default(renamed(schema.defaultValue, rename));
  return builder.build();
}

function renamed(fields: Fields, rename: Rename): Fields {
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) setField(copy, rename(name), fields[name]);
  return copy;
}

function renamedMap(map: ReadonlyMap<unknown, unknown>, rename: Rename): ReadonlyMap<unknown, unknown> {
  return new Map([...map].map(([key, value]) => [typeof key === 'string' ? rename(key) : key, value]));
}
