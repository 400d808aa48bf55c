import { BatchReader } from '#troupe/log/batch.js';
import type { Log } from '#troupe/log/log.js';

export interface FoundLetter {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Those in queue 0 of the topic `dead`. */
export async function lettersIn(log: Log): Promise<FoundLetter[]> {
  const { batches } = await log.read({
    topic: 'dead',
    queue: 0,
    offset: 0,
    maxBytes: 1e6,
    maxRecords: 100,
    waitMs: 0,
  });
  return batches.flatMap(({ batch }) => {
    const reader = BatchReader.open(batch.bytes);
    return Array.from({ length: reader.count }, (_, i) => ({
      key: reader.keyText(i),
      value: reader.valueText(i),
      timestamp: reader.timestamp(i),
      headers: Object.fromEntries(
        reader.headers(i).map(([name, data]) => [name, Buffer.from(data).toString()]),
      ),
    }));
  });
}
