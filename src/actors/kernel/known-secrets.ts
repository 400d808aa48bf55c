import { MIN_SECRET } from '../../core/connectors/secret-references.js';

/** Secrets that this thread has resolved, and passwords that it was given: they are taken out of whatever leaves it as a log line or an error. */
const known = new Set<string>();

const MAX_KNOWN = 10_000;

export function rememberSecrets(secrets: Iterable<string>): void {
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET) continue;
    // Set anew, so that those used longest ago are forgotten first.
    known.delete(secret);
    known.add(secret);
    const [oldest] = known;
    if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  }
}

export function hideSecrets(text: string): string {
  if (known.size === 0) return text;
  let shown = text;
  // The longest first: one may be a part of another.
  for (const secret of [...known].sort((a, b) => b.length - a.length))
    shown = shown.replaceAll(secret, '[hidden]');
  return shown;
}
