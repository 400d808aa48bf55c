/** Keys that no definition of a connector, its converters, transforms and predicates has. */
import { distance } from 'fastest-levenshtein';

import { isGivenFor, type ConfigDefinition, type ConfigIssue } from '../sdk/config.js';
import type { RawConfig } from '../sdk/plugin.js';
import { own } from './config-plugins.js';
import { ignoredBecause } from './foreign-keys.js';
import type { KnownKeys } from './known-keys.js';
import {
  UNKNOWN_KEYS,
  UNKNOWN_KEYS_MODES,
  type UnknownKeysMode,
} from '../core/parameters/unknown-keys-mode.js';

export interface KeyFindings {
  readonly issues: readonly ConfigIssue[];
  /** Of keys without effect, which stop nothing. */
  readonly warnings: readonly ConfigIssue[];
}

const MAX_DISTANCE = 2;
/** In shorter keys every second one would be near. */
const MIN_LENGTH = 5;

interface Keys extends KnownKeys {
  readonly raw: RawConfig;
}

/** `node`: what holds where the configuration says nothing itself. */
export function unknownKeys(raw: RawConfig, known: KnownKeys, node: UnknownKeysMode): KeyFindings {
  const mode = modeOf(raw) ?? node;
  const keys = { raw, ...known };
  const issues: ConfigIssue[] = [];
  const warnings: ConfigIssue[] = [];
  for (const field of undefinedKeys(keys)) {
    // Its value is not repeated: it may be a password under a wrong name.
    const told = (reason: string): ConfigIssue => ({ field, value: null, reason });
    const foreign = ignoredBecause(field, keys.kind);
    const nearest = foreign === null ? nearestOf(field, keys) : null;
    const meant = nearest === null ? '' : `: did you mean ${nearest}?`;
    if (foreign !== null) warnings.push(told(`is ignored: ${foreign}`));
    else if ((mode === 'fail' && keys.kind !== null) || (mode === 'auto' && nearest !== null))
      issues.push(told(`is unknown${meant === '' ? `: remove it, or set ${UNKNOWN_KEYS}=warn` : meant}`));
    else if (mode !== 'ignore' && keys.kind !== null) warnings.push(told(`is unknown, and ignored${meant}`));
  }
  return { issues, warnings };
}

/** For those that cannot wait for an answer of validation: one sentence, bounded. */
export function warningText(warnings: readonly ConfigIssue[]): string {
  const shown = warnings.slice(0, MAX_TOLD).map(({ field, reason }) => `${field.slice(0, 100)} ${reason}`);
  const more = warnings.length > MAX_TOLD ? `; and ${warnings.length - MAX_TOLD} more` : '';
  return `Keys of the configuration have no effect: ${shown.join('; ')}${more}`;
}

const MAX_TOLD = 10;

function modeOf(raw: RawConfig): UnknownKeysMode | null {
  const given = own(raw, UNKNOWN_KEYS)?.trim();
  return UNKNOWN_KEYS_MODES.find((mode) => mode === given) ?? null;
}

function undefinedKeys({ raw, definition, kind, opaque }: Keys): readonly string[] {
  const maps = definition.filter(({ type }) => type === 'MAP');
  const known = namesOf(definition);
  return Object.keys(raw).filter((key) => {
    if (known.has(key) || maps.some((map) => isGivenFor(map, key))) return false;
    // Of a source, whose groups topic-creation.ts knows.
    if (kind !== 'sink' && key.startsWith('topic.creation.')) return false;
    return !opaque.some((prefix) => prefix !== '' && key.startsWith(prefix));
  });
}

function namesOf(definition: ConfigDefinition): ReadonlySet<string> {
  return new Set(definition.flatMap((key) => [key.name, ...(key.aliases ?? [])]));
}

function nearestOf(key: string, { raw, definition }: Keys): string | null {
  if (key.length < MIN_LENGTH) return null;
  let nearest: string | null = null;
  let least = MAX_DISTANCE + 1;
  for (const name of namesOf(definition)) {
    // A key that is given as well was not meant by this one.
    if (Math.abs(name.length - key.length) >= least || Object.hasOwn(raw, name)) continue;
    const steps = distance(key, name);
    if (steps < least) [least, nearest] = [steps, name];
  }
  return nearest;
}
