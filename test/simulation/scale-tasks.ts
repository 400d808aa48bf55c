import type { TaskParams } from '#troupe/actors/task/protocol.js';
import { EntryEncoder } from '#troupe/core/replica/envelope.js';
import { fencingEpoch } from '#troupe/core/cluster/fencing.js';
import type { ConnectorEntry } from '#troupe/core/model.js';
import type { OffsetEntry, PositionEntry } from '#troupe/core/progress/progress-machine.js';
import { sleep } from './plugins.js';
import type { SharedStates } from './scale-node.js';
import type { ScaleTopics } from './scale-topics.js';
import { Thread, type Process } from './virtual-time.js';
import { OFFSET_TOPIC, POSITION_TOPIC, type World } from './world.js';

/** `offset.flush.interval.ms` of sinks. A source says how far it is with each batch: one a second here. */
export const PROGRESS_MS = 1000;

/** Of a size that is usual. Every second connector is a source. */
export function connectorConfig(index: number, tasks: number): Readonly<Record<string, string>> {
  const kind = index % 2 === 0 ? 'source' : 'sink';
  return {
    kind,
    'connector.class': `com.example.connect.jdbc.Jdbc${kind === 'source' ? 'Source' : 'Sink'}Connector`,
    'tasks.max': String(tasks),
    'connect.topicname': `topic-of-connector-${index}`,
    'value.converter': 'json',
    'connection.url': 'jdbc:postgresql://database.example.com:5432/orders?currentSchema=public',
    'connection.user': 'connect',
    'connection.password': '${env:CONNECTOR_PASSWORD}',
    'poll.interval.ms': '1000',
    'batch.max.rows': '1000',
    'errors.tolerance': 'all',
  };
}

export function taskConfigs({ name, config }: ConnectorEntry): Record<string, string>[] {
  return Array.from({ length: Number(config['tasks.max']) }, (_, i) => ({ tables: `${name}_table_${i}` }));
}

/** A task as the cluster topics see it: its fence when it starts, then its progress at an interval. */
export class ScaleTask {
  readonly params: TaskParams;
  readonly #thread: Thread;
  readonly #topics: ScaleTopics;
  readonly #world: World;
  #progress = 0;
  /** The other threads of the node know it. */
  started = false;

  constructor(params: TaskParams, topics: ScaleTopics, process: Process, world: World) {
    this.params = params;
    this.#topics = topics;
    this.#world = world;
    this.#thread = new Thread(process, params.unit);
  }

  get #source(): boolean {
    return this.params.config['kind'] === 'source';
  }

  async start({
    positions,
    offsets,
  }: { [K in keyof SharedStates]: ReturnType<SharedStates[K]['join']> }): Promise<void> {
    const { unit, epoch } = this.params;
    await sleep(1 + this.#world.random.next(100));
    const fence = { type: 'FENCE', unit, epoch: fencingEpoch(epoch, 1) } as const;
    const result = await (this.#source ? positions.submit(fence) : offsets.submit(fence));
    if (!result.ok) throw new Error(result.message);
    this.started = true;
    const { time, random } = this.#world;
    const report = this.#reporter();
    const again = (): void => {
      report();
      time.after(PROGRESS_MS, again, this.#thread);
    };
    time.after(random.next(PROGRESS_MS), again, this.#thread);
  }

  async stop(): Promise<void> {
    await sleep(1 + this.#world.random.next(50));
    this.#thread.end();
  }

  /** As the loops of sources and sinks write it: straight to the topic, by a writer of their own. */
  #reporter(): () => void {
    const { unit, node, epoch: claimed, config } = this.params;
    const writer = { node: node.id, incarnation: `${unit}#${node.incarnation}` };
    const epoch = fencingEpoch(claimed, 1);
    if (this.#source) {
      const port = this.#topics.port(POSITION_TOPIC, this.#thread);
      const encoder = new EntryEncoder<PositionEntry>(writer);
      return () => {
        const item = {
          partition: { table: config['tables'] ?? '' },
          position: { id: 1_000_000 + this.#next(), at: 1_700_000_000_000 },
        };
        void port.append([encoder.encode({ type: 'PROGRESS', unit, epoch, items: [item] })]);
      };
    }
    const port = this.#topics.port(OFFSET_TOPIC, this.#thread);
    const encoder = new EntryEncoder<OffsetEntry>(writer);
    const [, queue = '0'] = unit.split('/');
    return () => {
      const item = {
        topic: config['connect.topicname'] ?? '',
        queue: Number(queue),
        offset: 1_000_000 + this.#next(),
      };
      void port.append([encoder.encode({ type: 'PROGRESS', unit, epoch, items: [item] })]);
    };
  }

  #next(): number {
    this.#progress += 1;
    return this.#progress;
  }
}
