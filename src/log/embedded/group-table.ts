/** What the groups of readers read, and what they have committed. Used as `Tables` is, of which it is a part. */
import * as keys from './keys.js';
import type { StoreKey } from './keys.js';
import type { Staging } from './staging.js';

export interface CommittedOffset {
  readonly topicId: number;
  readonly queue: number;
  /** The next to read. */
  readonly offset: number;
}

export class GroupTable {
  readonly #staging: Staging;

  constructor(staging: Staging) {
    this.#staging = staging;
  }

  /** `topics`: sorted. */
  subscribed(group: string, topics: readonly string[]): boolean {
    return this.#staging.get(keys.subscriptionKey(group))?.equals(keys.encodeSubscription(topics)) === true;
  }

  subscribe(group: string, topics: readonly string[]): void {
    this.#staging.put(keys.subscriptionKey(group), keys.encodeSubscription(topics));
  }

  commit(group: string, { topicId, queue, offset }: CommittedOffset): void {
    this.#staging.put(keys.groupKey(group, topicId, queue), keys.encodeNumbers(offset));
  }

  /** Those of topics that are being deleted too. */
  *committed(group: string): Generator<CommittedOffset> {
    for (const { key, value } of this.#staging.scan(keys.groupRange(group))) {
      yield {
        topicId: keys.keyNumber(key, 2),
        queue: keys.keyNumber(key, 3),
        offset: keys.decodeNumber(value),
      };
    }
  }

  /** Groups that have subscribed, or have committed something on one of these topics. */
  names(topicIds: ReadonlySet<number>): readonly string[] {
    const names = new Set(
      [...this.#staging.scanKeys(keys.ALL_SUBSCRIPTIONS)].map((key) => keys.keyText(key, 1)),
    );
    for (const key of this.#staging.scanKeys(keys.ALL_GROUPS)) {
      if (topicIds.has(keys.keyNumber(key, 2))) names.add(keys.keyText(key, 1));
    }
    return [...names];
  }

  delete(group: string): void {
    this.#staging.remove(keys.subscriptionKey(group));
    for (const key of this.#staging.scanKeys(keys.groupRange(group))) this.#staging.remove(groupKeyOf(key));
  }

  forgetTopic(topicId: number): void {
    for (const key of this.#staging.scanKeys(keys.ALL_GROUPS)) {
      if (keys.keyNumber(key, 2) === topicId) this.#staging.remove(groupKeyOf(key));
    }
  }

  /**
   * By topic id: what the slowest group has read of a queue. A group that has subscribed to a topic, or has offsets on
   * some of its queues, has read nothing of the others. What it has committed on topics that it does not read any more
   * holds nothing back. `topics`: ids by name.
   */
  slowest(topics: ReadonlyMap<string, number>): ReadonlyMap<number, (queue: number) => number> {
    const reads = this.#subscriptions(topics);
    const groups = new Map<number, Map<string, Map<number, number>>>();
    const queuesOf = (topicId: number, group: string): Map<number, number> => {
      const onTopic = entryOf(groups, topicId, () => new Map<string, Map<number, number>>());
      return entryOf(onTopic, group, () => new Map<number, number>());
    };
    for (const [group, ids] of reads) for (const id of ids) queuesOf(id, group);
    for (const { key, value } of this.#staging.scan(keys.ALL_GROUPS)) {
      const [group, topicId] = [keys.keyText(key, 1), keys.keyNumber(key, 2)];
      if (reads.get(group)?.has(topicId) === false) continue;
      queuesOf(topicId, group).set(keys.keyNumber(key, 3), keys.decodeNumber(value));
    }
    const slowest = new Map<number, (queue: number) => number>();
    for (const [topicId, onTopic] of groups) {
      slowest.set(topicId, (queue) =>
        Math.min(...[...onTopic.values()].map((queues) => queues.get(queue) ?? 0)),
      );
    }
    return slowest;
  }

  /** By group, the ids of the topics that it reads and that exist. */
  #subscriptions(topics: ReadonlyMap<string, number>): ReadonlyMap<string, ReadonlySet<number>> {
    const found = new Map<string, ReadonlySet<number>>();
    for (const { key, value } of this.#staging.scan(keys.ALL_SUBSCRIPTIONS)) {
      const ids = keys.decodeSubscription(value).flatMap((name) => topics.get(name) ?? []);
      found.set(keys.keyText(key, 1), new Set(ids));
    }
    return found;
  }
}

function groupKeyOf(key: unknown): StoreKey {
  return keys.groupKey(keys.keyText(key, 1), keys.keyNumber(key, 2), keys.keyNumber(key, 3));
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
