/** Positions and offsets that users look at and set by hand. */
import { groupOf } from '../../core/model.js';
import {
  newestEpoch,
  offsetKey,
  offsetsOf,
  partitionKey,
  type OffsetEntry,
  type PositionEntry,
  type ProgressResult,
  type SinkOffset,
} from '../../core/progress/progress-machine.js';
import type { Replica } from '../../core/replica/replicated-state.js';
import type { RestoreEntry } from '../../core/connectors/cold-start-state.js';
import type { RestorableOffsets, RestorablePositions } from '../../core/connectors/saved-states.js';
import type { Log } from '../../log/log.js';
import { ConnectError } from '../../sdk/errors.js';
import type { ProgressChange } from './protocol.js';

export type PositionReplica = Replica<
  RestorablePositions,
  PositionEntry | RestoreEntry,
  ProgressResult | null
>;
export type OffsetReplica = Replica<RestorableOffsets, OffsetEntry | RestoreEntry, ProgressResult | null>;

/** No connector may be named so. */
const NO_CONNECTOR = '/';

export class Altering {
  readonly #log: Pick<Log, 'describeTopic' | 'commitOffsets'>;
  readonly #positions: PositionReplica;
  readonly #offsets: OffsetReplica;

  constructor(log: Log, positions: PositionReplica, offsets: OffsetReplica) {
    this.#log = log;
    this.#positions = positions;
    this.#offsets = offsets;
  }

  /** What is durable by now has been read, also what other nodes wrote: entries that change nothing are read after it. */
  async caughtUp(): Promise<void> {
    const nothing = { type: 'DROP', connector: NO_CONNECTOR, upTo: 0 } as const;
    await Promise.all([this.#positions.submit(nothing), this.#offsets.submit(nothing)]);
  }

  async offsets(
    connector: string,
  ): Promise<{ readonly offsets: readonly SinkOffset[]; readonly newest: number }> {
    await this.caughtUp();
    const newest = Math.max(
      newestEpoch(this.#positions.state.inner, connector),
      newestEpoch(this.#offsets.state.inner, connector),
    );
    return { offsets: offsetsOf(this.#offsets.state.inner, connector), newest };
  }

  async alter(connector: string, upTo: number, change: ProgressChange): Promise<void> {
    if (change === 'all') {
      check(await this.#positions.submit({ type: 'RESET', connector, items: null, upTo }));
      const known = offsetsOf(this.#offsets.state.inner, connector);
      check(await this.#offsets.submit({ type: 'RESET', connector, items: null, upTo }));
      await this.#mirror(
        connector,
        known.map((item) => ({ ...item, offset: 0 })),
      );
    } else if (change.kind === 'source') {
      const items = change.items.flatMap(({ partition, position }) =>
        position === null ? [] : [{ partition, position }],
      );
      const gone = change.items.filter(({ position }) => position === null);
      const removed = gone.map(({ partition }) => partitionKey(partition));
      check(await this.#positions.submit({ type: 'RESET', connector, items, removed, upTo }));
    } else {
      const items: SinkOffset[] = [];
      for (const { topic, queue, offset } of change.items) {
        const topicId = await this.#topicId(topic, queue);
        if (offset !== null) items.push({ topic, queue, offset, ...(topicId !== null && { topicId }) });
      }
      const removed = change.items.filter(({ offset }) => offset === null).map(offsetKey);
      check(await this.#offsets.submit({ type: 'RESET', connector, items, removed, upTo }));
      await this.#mirror(
        connector,
        change.items.map(({ topic, queue, offset }) => ({ topic, queue, offset: offset ?? 0 })),
      );
    }
  }

  async #topicId(topic: string, queue: number): Promise<string | null> {
    const found = await this.#log.describeTopic(topic);
    if (found === null) throw refused(`there is no topic ${topic}`);
    if (queue < found.queues) return found.id;
    throw refused(`topic ${topic} has the queues 0 to ${found.queues - 1}, and no ${queue}`);
  }

  /** The offset topic is the authority. The group, which retention waits for and tools show, follows; a start makes up for what is missed. */
  async #mirror(connector: string, offsets: readonly SinkOffset[]): Promise<void> {
    const group = groupOf(connector);
    const there = await Promise.all(
      [...new Set(offsets.map(({ topic }) => topic))].map((topic) => this.#log.describeTopic(topic)),
    );
    const queues = new Map(there.flatMap((topic) => (topic === null ? [] : [[topic.name, topic.queues]])));
    const known = offsets.filter(({ topic, queue }) => queue < (queues.get(topic) ?? 0));
    if (known.length === 0) return;
    await this.#log.commitOffsets(
      group,
      known.map(({ topic, queue, offset }) => ({ topic, queue, offset })),
    );
  }
}

function check(result: ProgressResult | null): void {
  if (result?.ok === false)
    throw new ConnectError(`it was resumed: ${result.message}`, { code: 'CONNECTOR_NOT_STOPPED' });
}

function refused(message: string): ConnectError {
  return new ConnectError(message, { code: 'POSITIONS_REFUSED' });
}
