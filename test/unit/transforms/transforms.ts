import { discoverPlugins } from '#troupe/plugins/discover.js';
import { buildTransformChain, type TransformChain } from '#troupe/plugins/transform-chain.js';
import {
  INT64_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  SchemaBuilder,
  sourceRecord,
  type Schema,
  type SourceRecord,
} from '#troupe/sdk/index.js';

export const catalog = discoverPlugins([]);

/** A chain of one transform of this class. */
export function single(type: string, options: Readonly<Record<string, string>>): Promise<TransformChain> {
  const raw: Record<string, string> = { transforms: 't', 'transforms.t.type': type };
  for (const [key, value] of Object.entries(options)) raw[`transforms.t.${key}`] = value;
  return buildTransformChain(raw, catalog);
}

export function record(
  valueSchema: Schema | null,
  value: unknown,
  more: Partial<SourceRecord> = {},
): SourceRecord {
  return sourceRecord({
    topic: 'orders',
    queue: 3,
    valueSchema,
    value,
    timestamp: 1_700_000_000_123,
    sourcePartition: { file: 'a' },
    sourcePosition: { position: 1 },
    ...more,
  });
}

export const SCHEMA = SchemaBuilder.struct()
  .name('v')
  .optional()
  .field('id', INT64_SCHEMA)
  .field('name', OPTIONAL_STRING_SCHEMA)
  .field('price', SchemaBuilder.of('FLOAT64').optional().default(9.5).build())
  .build();
export const STRUCT = { id: 5, name: 'bob' };
export const OBJECT = { id: 5, name: 'bob', price: null };

/** Names and types of a struct's fields: `id INT64`, `name STRING?`. */
export function fieldsOf(schema: Schema | null): readonly string[] {
  return (schema?.fields ?? []).map(
    (field) => `${field.name} ${field.schema.type}${field.schema.optional ? '?' : ''}`,
  );
}
