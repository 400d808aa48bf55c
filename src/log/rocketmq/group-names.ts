/**
 * The log's group names as RocketMQ's, which have letters, digits, % | _ and -, at most 120 of them. Any other
 * character, and %, becomes % and two hex digits for each byte of its UTF-8, as in a URL. A name that gets too long so
 * is cut, and told from others by its SHA-256: that cannot be turned back.
 */
import { createHash } from 'node:crypto';

const MAX_LENGTH = 120;
/** Hex digits never follow it. */
const DIGEST_MARK = '%-';
const DIGEST_CHARS = 43;

export function toRocketMqGroup(name: string): string {
  const escaped = Array.from(Buffer.from(name), (byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9|_-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
  if (escaped.length <= MAX_LENGTH) return escaped;
  const kept = escaped.slice(0, MAX_LENGTH - DIGEST_MARK.length - DIGEST_CHARS);
  return `${kept}${DIGEST_MARK}${createHash('sha256').update(name).digest('base64url')}`;
}

/** Null: it is not one that `toRocketMqGroup` makes, or one that cannot be turned back. */
export function fromRocketMqGroup(group: string): string | null {
  let name: string;
  try {
    name = decodeURIComponent(group);
  } catch {
    return null;
  }
  return toRocketMqGroup(name) === group ? name : null;
}
