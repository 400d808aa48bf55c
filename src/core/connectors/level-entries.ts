/** Levels of loggers that are set on all nodes: entries of the config topic that leave nothing in the state. */
import { object, oneOf, text } from '../replica/json-shape.js';
import type { Machine } from '../replica/machine.js';

export interface LevelEntry {
  readonly type: 'LEVEL';
  readonly logger: string;
  readonly level: string;
}

const isLevel = object<LevelEntry>({ type: oneOf('LEVEL'), logger: text, level: text });

export function isLevelEntry(entry: { readonly type: string }): entry is LevelEntry {
  return entry.type === 'LEVEL';
}

/** The machine, which lets them pass. Their result is null. */
export function withLevels<S, E extends { readonly type: string }, R>(
  machine: Machine<S, E, R>,
): Machine<S, E | LevelEntry, R | null> {
  return {
    ...machine,
    decode: (value) => (isLevel(value) ? value : machine.decode(value)),
    apply: (state, entry, meta) =>
      isLevelEntry(entry) ? { state, result: null } : machine.apply(state, entry, meta),
  };
}
