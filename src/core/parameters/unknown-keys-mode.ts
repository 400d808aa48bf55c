/** The key of a connector, and the parameter of a node, that says what becomes of keys that nobody knows. */
export const UNKNOWN_KEYS = 'config.unknown.keys';

export const UNKNOWN_KEYS_MODES = ['auto', 'fail', 'warn', 'ignore'] as const;

/** auto: what looks like a misspelling is an error, anything else a warning. */
export type UnknownKeysMode = (typeof UNKNOWN_KEYS_MODES)[number];

export function isUnknownKeysMode(value: unknown): value is UnknownKeysMode {
  return UNKNOWN_KEYS_MODES.some((mode) => mode === value);
}
