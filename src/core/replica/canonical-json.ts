import { createHash } from 'node:crypto';

/** JSON text with the keys of every object in order, so that equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    const entries = Object.entries(item);
    let ordered = true;
    for (let i = 1; i < entries.length; i += 1)
      ordered &&= (entries[i - 1]?.[0] ?? '') < (entries[i]?.[0] ?? '');
    // fromEntries defines the keys: one called `__proto__` stays a key.
    return ordered ? item : Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Names a set of JSON-safe items, in whatever order they come. */
export function digestOf(items: Iterable<unknown>): string {
  const hash = createHash('sha256');
  for (const line of [...items].map(canonicalJson).sort()) hash.update(line).update('\n');
  return hash.digest('hex').slice(0, 16);
}
