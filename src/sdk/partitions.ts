/** Which source partitions are meant by a part of their fields. */
import type { JsonObject, JsonValue } from './record.js';

/** Whether the partition has all fields of `match`, with equal values, whatever the order of keys in these. */
export function partitionMatches(partition: JsonObject, match: JsonObject): boolean {
  for (const name of Object.keys(match))
    if (!Object.hasOwn(partition, name) || !isEqual(partition[name], match[name])) return false;
  return true;
}

function isEqual(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = new Map<string, JsonValue>(Object.entries(a));
  const right = new Map<string, JsonValue>(Object.entries(b));
  return (
    left.size === right.size &&
    [...left].every(([key, value]) => right.has(key) && isEqual(value, right.get(key)))
  );
}
