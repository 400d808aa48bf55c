import type { QueueOffset, SinkTask, SourceTask, SourceTaskContext } from '#troupe/sdk/plugin.js';
import { sourceRecord, type SinkRecord, type SourceRecord } from '#troupe/sdk/record.js';
import { PARTITIONS } from './external.js';
import type { World } from './world.js';

/** Called at each call into the plugin: is it allowed to run at this instant? */
export type OnCall = (call: string) => void;

const POLL_RECORDS = 3;
const NOTHING_MS = 900;

export function partitionName(connector: string, index: number): string {
  return `${connector}:${index}`;
}

/** Reads numbered records from partitions that it shares with the other tasks. */
export function sourcePlugin(world: World, onCall: OnCall, writer: string, tasks: number): SourceTask {
  const { external, random } = world;
  const positions = new Map<string, number>();
  let turn = 0;
  return {
    start(context: SourceTaskContext) {
      onCall('start');
      for (let index = context.taskId; index < PARTITIONS; index += tasks) {
        const partition = partitionName(context.connectorName, index);
        const { at } = context.position({ partition }) ?? {};
        positions.set(partition, typeof at === 'number' ? at : 0);
      }
    },
    async poll(): Promise<readonly SourceRecord[]> {
      onCall('poll');
      const partitions = [...positions.keys()];
      turn += 1;
      const partition = partitions[turn % Math.max(1, partitions.length)];
      const ids =
        partition === undefined ? [] : external.poll(partition, positions.get(partition) ?? 0, POLL_RECORDS);
      await sleep(ids.length === 0 ? NOTHING_MS : 100 + random.next(900));
      if (partition === undefined) return [];
      positions.set(partition, ids.at(-1) ?? positions.get(partition) ?? 0);
      return ids.map((at) =>
        sourceRecord({
          key: partition,
          value: `${partition} ${at} ${writer}`,
          sourcePartition: { partition },
          sourcePosition: { at },
        }),
      );
    },
    commit(durable) {
      onCall('commit');
      for (const { partition, position } of durable) {
        const name = partition['partition'] as string;
        world.invariants.committed(name, Number(position['at']));
        external.forget(name, Number(position['at']));
      }
    },
    stop() {
      return sleep(random.next(100));
    },
  };
}

/** Takes records, and writes them out at a flush. */
export function sinkPlugin(world: World, onCall: OnCall, connector: string): SinkTask {
  const { external, random } = world;
  let taken: QueueOffset[] = [];
  return {
    start() {
      onCall('start');
    },
    async put(records: readonly SinkRecord[]) {
      onCall('put');
      taken.push(...records.map(({ topic, queue, offset }) => ({ topic, queue, offset })));
      await sleep(5 + random.next(60));
    },
    async flush() {
      onCall('flush');
      const written = taken;
      taken = [];
      await sleep(5 + random.next(60));
      for (const { topic, queue, offset } of written) external.deliver(connector, topic, queue, offset);
    },
    stop() {
      return sleep(random.next(100));
    },
  };
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
