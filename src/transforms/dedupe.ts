import { isSinkRecord, isSourceRecord, valueText } from '../sdk/index.js';
import type { ConnectRecord, Plugin, Transform } from '../sdk/index.js';
import { parseExpression } from './expression.js';

/** Of a record that went on. */
interface Seen {
  readonly is: unknown;
  readonly at: number;
}

/** Drops records of which another one with the same key, or whatever `by` gives, has gone on. */
const transform: Transform = {
  version: '1.0.0',
  config: [
    {
      name: 'by',
      type: 'STRING',
      defaultValue: 'key',
      importance: 'HIGH',
      documentation:
        'An expression, in the Common Expression Language, that gives the same for records that are the same. Where it is null, the record goes on. See docs/transforms.md.',
    },
    {
      name: 'max.keys',
      type: 'INT',
      defaultValue: '10000',
      min: 1,
      max: 1_000_000,
      importance: 'MEDIUM',
      documentation:
        'How many different ones a task remembers. Beyond it the one is forgotten that has not come for longest.',
    },
    {
      name: 'window.ms',
      type: 'LONG',
      defaultValue: '0',
      min: 0,
      importance: 'MEDIUM',
      documentation:
        'How far apart, by the timestamps of the records and in milliseconds, two are still the same. 0: however far.',
    },
  ],
  create: (config) => {
    const by = parseExpression(config.string('by'), 'by', ANY);
    const max = config.int('max.keys');
    const window = Number(config.long('window.ms'));
    const seen = new Map<string, Seen>();
    return {
      apply: (record) => {
        const value = by.evaluate(record);
        if (value === null || value === undefined) return record;
        const key = textOf(value);
        const before = seen.get(key);
        const at = record.timestamp ?? Date.now();
        const repeated = before !== undefined && (window === 0 || Math.abs(at - before.at) <= window);
        // Deleted first, so that it becomes the newest.
        seen.delete(key);
        if (repeated && !isSame(before.is, record)) {
          seen.set(key, before);
          return null;
        }
        seen.set(key, { is: identityOf(record), at });
        if (seen.size > max) forgetOldest(seen);
        return record;
      },
    };
  },
};

const ANY = [
  'bool',
  'bytes',
  'double',
  'duration',
  'int',
  'list',
  'map',
  'null',
  'string',
  'timestamp',
  'uint',
];

/** One for equal values; a whole number is the same in each of its forms. */
function textOf(value: unknown): string {
  const type = typeof value === 'bigint' ? 'number' : typeof value;
  return `${type} ${valueText(null, value)}`;
}

/** What stays the same when a record is transformed again, as after a converter that had to wait: then it is no repetition of itself. */
function identityOf(record: ConnectRecord): unknown {
  if (isSourceRecord(record)) return record.sourcePosition;
  return isSinkRecord(record) ? placeOf(record) : record;
}

function isSame(is: unknown, record: ConnectRecord): boolean {
  return is === identityOf(record);
}

function placeOf({
  originalTopic,
  originalQueue,
  originalOffset,
}: {
  readonly originalTopic: string;
  readonly originalQueue: number;
  readonly originalOffset: number;
}): string {
  return `${originalTopic} ${originalQueue} ${originalOffset}`;
}

function forgetOldest(seen: Map<string, Seen>): void {
  for (const key of seen.keys()) {
    seen.delete(key);
    return;
  }
}

export default { type: 'transformation', plugin: transform } satisfies Plugin;
