import { configureTransforms } from '#troupe/plugins/transform-chain.js';
import { discoverPlugins } from '#troupe/plugins/discover.js';
import { DataError } from '#troupe/sdk/index.js';
import { recordText, type Case } from './notation.js';

const KAFKA = 'org.apache.kafka.connect.transforms.';
const catalog = discoverPlugins([]);

/** What our transform of that name makes of it: a record as text, `dropped`, `fails` or `refused`; of a predicate `true` or `false`. */
export async function ourText({ do: type, config, record }: Case): Promise<string> {
  const isPredicate = type.startsWith('predicates.');
  const { made: chain } = await configureTransforms(rawConfig(type, config, isPredicate), catalog);
  if (chain === null) return 'refused';
  try {
    const given = chain.apply(record);
    // A predicate is asked by dropping the records for which it holds.
    if (isPredicate) return String(given === null);
    return given === null ? 'dropped' : recordText(given);
  } catch (error) {
    if (error instanceof DataError) return 'fails';
    throw error;
  }
}

function rawConfig(type: string, config: Case['config'], isPredicate: boolean): Record<string, string> {
  const raw: Record<string, string> = isPredicate
    ? {
        transforms: 't',
        'transforms.t.type': `${KAFKA}Filter`,
        'transforms.t.predicate': 'p',
        predicates: 'p',
        'predicates.p.type': KAFKA + type,
      }
    : { transforms: 't', 'transforms.t.type': KAFKA + type };
  const prefix = isPredicate ? 'predicates.p' : 'transforms.t';
  for (const [key, value] of Object.entries(config)) raw[`${prefix}.${key}`] = value;
  return raw;
}
