import { distance } from 'fastest-levenshtein';

import { isGivenFor, type ConfigDefinition, type ConfigIssue } from '../sdk/config.js';
import type { RawConfig } from '../sdk/plugin.js';

/** Below these, names are free: they belong to clients, or to what a later version knows. */
const FREE = ['producer.override.', 'consumer.override.', 'admin.override.', 'topic.creation.'];
const MAX_DISTANCE = 2;
/** In shorter keys every second one would be near. */
const MIN_LENGTH = 5;

/**
 * Keys that look like a misspelling of a known one. Other unknown keys are allowed, as in Kafka Connect: a plugin may
 * read keys that it does not define.
 */
export function misspelledKeys(raw: RawConfig, definition: ConfigDefinition): readonly ConfigIssue[] {
  const maps = definition.filter(({ type }) => type === 'MAP');
  const known = new Set(definition.flatMap((key) => [key.name, ...(key.aliases ?? [])]));
  const issues: ConfigIssue[] = [];
  for (const key of Object.keys(raw)) {
    if (maps.some((map) => isGivenFor(map, key))) continue;
    if (known.has(key) || key.length < MIN_LENGTH || FREE.some((prefix) => key.startsWith(prefix))) continue;
    const nearest = nearestOf(key, known, raw);
    // Its value is not repeated: it may be a password under a wrong name.
    if (nearest !== null)
      issues.push({ field: key, value: null, reason: `is unknown: did you mean ${nearest}?` });
  }
  return issues;
}

function nearestOf(key: string, known: ReadonlySet<string>, raw: RawConfig): string | null {
  let nearest: string | null = null;
  let least = MAX_DISTANCE + 1;
  for (const name of known) {
    // A key that is given as well was not meant by this one.
    if (Math.abs(name.length - key.length) >= least || Object.hasOwn(raw, name)) continue;
    const steps = distance(key, name);
    if (steps < least) [least, nearest] = [steps, name];
  }
  return nearest;
}
