import { cutText } from '../../core/bounded-text.js';
import type { JsonValue } from '../../sdk/record.js';
import { MIN_SECRET } from '../../core/connectors/secret-references.js';

/** Secrets that this thread has resolved, and passwords that it was given: they are taken out of whatever leaves it as a log line or an error. */
const known = new Set<string>();
let longest = 0;

const MAX_KNOWN = 10_000;

export function rememberSecrets(secrets: Iterable<string>): void {
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET) continue;
    longest = Math.max(longest, secret.length);
    // Set anew, so that those used longest ago are forgotten first.
    known.delete(secret);
    known.add(secret);
    const [oldest] = known;
    if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  }
}

/** Without the secrets, and not much more than `max` characters of it. */
export function hideSecrets(text: string, max = Infinity): string {
  const whole = text.length <= max + longest;
  const shown = hidden(whole ? text : text.slice(0, max + longest));
  if (whole) return cutText(shown, max);
  // Half a secret may stand at the end of what was cut out to be searched: that end is not shown.
  return cutText(shown, Math.max(0, Math.min(max, shown.length - longest)), text.length);
}

/** The value as JSON, without the secrets. */
export function hideSecretsIn(value: JsonValue): JsonValue {
  const text = JSON.stringify(value);
  const shown = hidden(text);
  if (shown === text) return value;
  try {
    // What was JSON, and is so still unless a secret held a part of its signs.
    return JSON.parse(shown) as JsonValue;
  } catch {
    return '[hidden]';
  }
}

function hidden(text: string): string {
  let shown = text;
  // The longest first: one may be a part of another.
  for (const secret of [...known].sort((a, b) => b.length - a.length))
    shown = shown.replaceAll(secret, '[hidden]');
  return shown;
}
