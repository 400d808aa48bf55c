/** Which topics a connector has written to or read since it was created, or since they were last forgotten. */
import { listOf, object, text, type Shape } from '../replica/json-shape.js';

export type UsedTopics = Map<string, readonly string[]>;

/** Of one connector. What comes beyond is not taken. */
export const MAX_USED_TOPICS = 1000;

export interface TopicsWrite {
  readonly name: string;
  /** null: none is known any more. */
  readonly topics: readonly string[] | null;
}

/** In the order of their names: whoever comes first, all nodes have the same. */
export function useTopics(used: UsedTopics, { name, topics }: TopicsWrite): void {
  if (topics === null) {
    used.delete(name);
    return;
  }
  const missing = unusedYet(used, name, topics);
  if (missing.length > 0) used.set(name, [...(used.get(name) ?? []), ...missing].sort());
}

export function unusedYet(used: UsedTopics, name: string, topics: readonly string[]): readonly string[] {
  const known = used.get(name) ?? [];
  const missing = [...new Set(topics)].filter((topic) => !known.includes(topic)).sort();
  return missing.slice(0, Math.max(0, MAX_USED_TOPICS - known.length));
}

interface Item {
  readonly topicsOf: string;
  readonly topics: readonly string[];
}

const isItem: Shape<Item> = object<Item>({ topicsOf: text, topics: listOf(text) });

export function* encodeUsedTopics(used: UsedTopics): Generator<Item> {
  for (const [topicsOf, topics] of used) yield { topicsOf, topics };
}

export function decodeUsedTopics(used: UsedTopics, item: unknown): boolean {
  if (!isItem(item)) return false;
  used.set(item.topicsOf, item.topics);
  return true;
}
