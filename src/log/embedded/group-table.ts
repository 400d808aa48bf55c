/** What the groups of readers have committed. Used as `Tables` is, of which it is a part. */
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

  /** Groups that have committed something on one of these topics. */
  names(topicIds: ReadonlySet<number>): readonly string[] {
    const names = new Set<string>();
    for (const key of this.#staging.scanKeys(keys.ALL_GROUPS)) {
      if (topicIds.has(keys.keyNumber(key, 2))) names.add(keys.keyText(key, 1));
    }
    return [...names];
  }

  delete(group: string): void {
    for (const key of this.#staging.scanKeys(keys.groupRange(group))) this.#staging.remove(groupKeyOf(key));
  }

  forgetTopic(topicId: number): void {
    for (const key of this.#staging.scanKeys(keys.ALL_GROUPS)) {
      if (keys.keyNumber(key, 2) === topicId) this.#staging.remove(groupKeyOf(key));
    }
  }

  /**
   * By topic id: what the slowest group has read of a queue. A group with offsets on some queues of a topic has read
   * nothing of the others.
   */
  slowest(): ReadonlyMap<number, (queue: number) => number> {
    const groups = new Map<number, Map<string, Map<number, number>>>();
    for (const { key, value } of this.#staging.scan(keys.ALL_GROUPS)) {
      const onTopic = entryOf(groups, keys.keyNumber(key, 2), () => new Map<string, Map<number, number>>());
      const queues = entryOf(onTopic, keys.keyText(key, 1), () => new Map<number, number>());
      queues.set(keys.keyNumber(key, 3), keys.decodeNumber(value));
    }
    const slowest = new Map<number, (queue: number) => number>();
    for (const [topicId, onTopic] of groups) {
      slowest.set(topicId, (queue) =>
        Math.min(...[...onTopic.values()].map((queues) => queues.get(queue) ?? 0)),
      );
    }
    return slowest;
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
