/** The four topics of a cluster, read from outside: what was written to them, by whom, and how many bytes it takes. */
import { decodeRecord } from '#troupe/core/replica/envelope.js';
import { BatchReader } from '#troupe/log/batch.js';
import type { Log } from '#troupe/log/log.js';
import { remotingClient } from '#troupe/log/rocketmq/client.js';
import type { RocketMqSettings } from '#troupe/log/rocketmq/settings.js';

const CLUSTER_TOPICS = [
  'connector-cluster-topic',
  'connector-config-topic',
  'connector-position-topic',
  'connector-offset-topic',
] as const;

export interface Entry {
  readonly topic: string;
  /** Empty: a snapshot. */
  readonly node: string;
  readonly type: string;
  readonly bytes: number;
}

export type Ends = ReadonlyMap<string, number>;

/** Where the topics end now. */
export async function ends(log: Log): Promise<Ends> {
  const all = new Map<string, number>();
  for (const topic of CLUSTER_TOPICS) all.set(topic, (await log.ranges(topic))[0]?.endOffset ?? 0);
  return all;
}

/** What stands between two ends. */
export async function entriesBetween(log: Log, from: Ends, to: Ends): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for (const topic of CLUSTER_TOPICS) {
    const end = to.get(topic) ?? 0;
    for (let offset = from.get(topic) ?? 0; offset < end;) {
      const request = { topic, queue: 0, offset, maxBytes: 1 << 20, maxRecords: 1000, waitMs: 1000 };
      const { batches, nextOffset } = await log.read(request);
      for (const { baseOffset, batch } of batches) {
        const reader = BatchReader.open(batch.bytes);
        for (let i = Math.max(0, offset - baseOffset); i < reader.count && baseOffset + i < end; i += 1)
          found.push(toEntry(topic, reader.value(i)));
      }
      offset = nextOffset;
    }
  }
  return found;
}

function toEntry(topic: string, value: Uint8Array | null): Entry {
  const bytes = value?.byteLength ?? 0;
  const record = value === null ? null : decodeRecord(value);
  if (record === null || !('entry' in record)) return { topic, node: '', type: 'snapshot', bytes };
  const { entry } = record;
  const type =
    typeof entry === 'object' && entry !== null && 'type' in entry ? String(entry.type) : 'unknown';
  return { topic, node: record.node, type, bytes };
}

/** What RocketMQ stores for it: bodies with properties and headers of messages. */
export async function storedBytes(settings: RocketMqSettings, from: Ends, to: Ends): Promise<number> {
  const client = remotingClient(settings, () => undefined);
  let bytes = 0;
  try {
    for (const topic of CLUSTER_TOPICS) {
      const [queue] = (await client.queues(topic)) ?? [];
      const end = to.get(topic) ?? 0;
      if (queue === undefined) continue;
      for (let offset = from.get(topic) ?? 0; offset < end;) {
        const maxMessages = Math.min(32, end - offset);
        const group = 'troupe-reader';
        const pulled = await client.pull({
          topic,
          queue,
          offset,
          group,
          maxBytes: 1 << 20,
          maxMessages,
          waitMs: 1000,
        });
        bytes += pulled.body.length;
        offset = pulled.nextOffset;
      }
    }
  } finally {
    await client.close();
  }
  return bytes;
}

/** How many of each kind. */
export function kinds(entries: readonly Entry[]): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { topic, type } of entries) {
    const key = `${topic.replace(/^connector-|-topic$/g, '')} ${type}`;
    found[key] = (found[key] ?? 0) + 1;
  }
  return found;
}

export function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}
