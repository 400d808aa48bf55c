/** What converters cost alone, without the way of a record around them: calls a second of CPU, for one record of eight fields. */
import avro from '@troupe/converter-avro/dist/src/index.js';
import { parseConfigOrThrow as parseOfPackage } from '@troupe/sdk';
import { whenReady } from '@troupe/test-support/ready';
import { serve } from '@troupe/test-support/serve';
import json from '#troupe/converters/json/converter.js';
import {
  BOOLEAN_SCHEMA,
  FLOAT64_SCHEMA,
  INT32_SCHEMA,
  INT64_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  parseConfigOrThrow,
  SchemaBuilder,
  STRING_SCHEMA,
  TIMESTAMP_SCHEMA,
} from '#troupe/sdk/index.js';

const CALLS = 400_000;
const WARM_UP = 50_000;
const SCHEMA = SchemaBuilder.struct()
  .name('bench.Order')
  .field('id', INT64_SCHEMA)
  .field('customer', STRING_SCHEMA)
  .field('amount', FLOAT64_SCHEMA)
  .field('count', INT32_SCHEMA)
  .field('paid', BOOLEAN_SCHEMA)
  .field('note', OPTIONAL_STRING_SCHEMA)
  .field('at', TIMESTAMP_SCHEMA)
  .field('address', STRING_SCHEMA)
  .build();
const VALUE = {
  id: 123_456_789,
  customer: 'Jane Doe',
  amount: 12.5,
  count: 3,
  paid: true,
  note: 'leave at the door',
  at: new Date(1_700_000_000_000),
  address: '12 Long Street, Springfield, with more behind it',
};

export interface ConverterRates {
  readonly avro: { readonly writes: number; readonly reads: number };
  readonly jsonWithSchema: { readonly writes: number; readonly reads: number };
}

export async function converterRates(): Promise<ConverterRates> {
  let schema = '';
  const registry = await serve((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const asked = Buffer.concat(chunks).toString();
      if (asked !== '') ({ schema } = JSON.parse(asked) as { schema: string });
      response.end(JSON.stringify({ id: 1, schema }));
    });
  });
  try {
    const config = parseOfPackage(avro.plugin.config, { 'schema.registry.url': registry.config.url });
    const ours = avro.plugin.create(config, { isKey: false });
    const plain = json.plugin.create(parseConfigOrThrow(json.plugin.config, {}), { isKey: false });
    const bytes = await whenReady(() => ours.fromConnectData('t', SCHEMA, VALUE));
    await whenReady(() => ours.toConnectData('t', bytes));
    const text = plain.fromConnectData('t', SCHEMA, VALUE);
    return {
      avro: {
        writes: rate(() => ours.fromConnectData('t', SCHEMA, VALUE)),
        reads: rate(() => ours.toConnectData('t', bytes)),
      },
      jsonWithSchema: {
        // As bytes: a text is put together, and encoded, only when it is needed.
        writes: rate(() => Buffer.from(plain.fromConnectData('t', SCHEMA, VALUE) ?? '')),
        reads: rate(() => plain.toConnectData('t', text)),
      },
    };
  } finally {
    await registry.cleanup();
  }
}

function rate(call: () => unknown): number {
  for (let i = 0; i < WARM_UP; i += 1) call();
  const before = process.cpuUsage();
  for (let i = 0; i < CALLS; i += 1) call();
  return Math.round((CALLS / process.cpuUsage(before).user) * 1e6);
}
