import assert from 'node:assert/strict';
import { isObject } from '#troupe/core/replica/json-shape.js';
import { decodeRecord } from '#troupe/core/replica/envelope.js';
import { offsetMachine, offsetsOf, type SinkOffset } from '#troupe/core/progress/progress-machine.js';
import { BatchReader } from '#troupe/log/batch.js';
import type { Log } from '#troupe/log/log.js';

const META = { offset: 1, timestamp: 1, writer: { node: 'n', incarnation: 'i' } };

/** What the cluster knows of the sink, as every node reads it. */
export async function committedIn(log: Log, connector: string): Promise<readonly SinkOffset[]> {
  const state = offsetMachine.initial();
  for (let offset = 0; ;) {
    const read = { topic: 'offsets', queue: 0, offset, maxBytes: 1e6, maxRecords: 1e6, waitMs: 0 };
    const { batches, nextOffset } = await log.read(read);
    if (batches.length === 0) return offsetsOf(state, connector);
    for (const { batch } of batches) {
      const reader = BatchReader.open(batch.bytes);
      for (let i = 0; i < reader.count; i += 1) {
        const record = decodeRecord(reader.value(i) ?? new Uint8Array());
        const entry = isObject(record) && 'entry' in record ? offsetMachine.decode(record.entry) : null;
        assert.ok(entry, 'every node can read it');
        offsetMachine.apply(state, entry, META);
      }
    }
    offset = nextOffset;
  }
}
