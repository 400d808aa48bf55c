import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { isGivenFor, isSecretKey, type ConfigDefinition } from '../config.js';
import type { RawConfig } from '../plugin.js';

/** Shorter ones stand in many a text by chance. */
export const MIN_PASSWORD_CHARS = 4;

interface Password {
  readonly key: string;
  /** The value as it may stand in a text: as it is, within quotes, in a URL. */
  readonly forms: readonly string[];
}

/** Looks for the passwords of a configuration in whatever a plugin says: errors, log lines, answers. */
export class SecretWatch {
  readonly #passwords: readonly Password[];
  readonly #leaks = new Set<string>();

  constructor(definition: ConfigDefinition, raw: RawConfig) {
    const secret = definition.filter(isSecretKey);
    this.#passwords = Object.entries(raw)
      .filter(([field]) => secret.some((key) => isGivenFor(key, field)))
      .flatMap(([field, value]) => passwordOf(field, value));
  }

  /** Remembers what stands in `said`: where errors are expected nobody else looks at them. */
  see(where: string, said: unknown): void {
    if (this.#passwords.length === 0) return;
    const text = textOf(said);
    for (const { key, forms } of this.#passwords) {
      // Bounded: `where` is one of a few names of calls.
      if (forms.some((form) => text.includes(form)))
        this.#leaks.add(`the value of ${key} stands in ${where}`);
    }
  }

  /** Fails when something seen so far held a password. */
  check(): void {
    assert.deepEqual([...this.#leaks], []);
  }
}

function passwordOf(key: string, value: string): Password[] {
  if (value.length < MIN_PASSWORD_CHARS) return [];
  const escaped = [JSON.stringify(value), inspect(value)].map((text) => text.slice(1, -1));
  return [{ key, forms: [...new Set([value, encodeURIComponent(value), ...escaped])] }];
}

/** Errors with their stack, cause and own fields, wherever they stand. */
function textOf(said: unknown): string {
  const whole = {
    depth: Infinity,
    maxArrayLength: Infinity,
    maxStringLength: Infinity,
    breakLength: Infinity,
  };
  const text = inspect(said, whole);
  // The stack was written when the error was made, the message may have been changed since.
  return said instanceof Error ? `${said.message}\n${text}` : text;
}
