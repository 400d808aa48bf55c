/** Which names a connector may have. */
const MAX_NAME_BYTES = 255;
/** `GET /connectors/stopAll` deletes all connectors: a connector of that name would read like it. */
const RESERVED: ReadonlySet<string> = new Set(['.', '..', 'stopAll']);

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Why `name` (trimmed) cannot be a connector's; null when it can. */
export function nameProblem(name: string): string | null {
  if (name === '') return 'must not be empty';
  if (name.includes('/') || name.includes('\\')) return 'must not hold a slash';
  if (CONTROL.test(name)) return 'must not hold control characters';
  if (RESERVED.has(name)) return 'is a reserved name';
  if (LONE_SURROGATE.test(name)) return 'must be well-formed Unicode';
  const bytes = Buffer.byteLength(name);
  return bytes > MAX_NAME_BYTES ? `is ${bytes} bytes of UTF-8; at most ${MAX_NAME_BYTES} are allowed` : null;
}
