/** CloudEvents 1.0.2 and its Kafka protocol binding: attributes stand in headers that begin with `ce_`. */
import { DataError, fieldOf, STRING_SCHEMA, type Fields, type Header } from '@troupe/sdk';

export const PREFIX = 'ce_';
export const CONTENT_TYPE = 'content-type';
export const STRUCTURED = 'application/cloudevents+json';
export const VERSION = '1.0';

/** Of the envelope, beside attributes. */
export const DATA = 'data';
export const DATA_BASE64 = 'data_base64';
const NAME = /^[a-z0-9]+$/;
const REQUIRED = ['specversion', 'id', 'source', 'type'] as const;

export type Attributes = ReadonlyMap<string, string>;

/** Throws DataError BAD_CLOUD_EVENT. */
export function checkAttributes(attributes: Attributes): Attributes {
  for (const name of REQUIRED) if ((attributes.get(name) ?? '') === '') throw bad(`it has no ${name}`);
  if (attributes.get('specversion') !== VERSION)
    throw bad(`its specversion is ${attributes.get('specversion')?.slice(0, 20) ?? ''}, not ${VERSION}`);
  for (const name of attributes.keys())
    if (!NAME.test(name))
      throw bad(`"${name.slice(0, 50)}" cannot name an attribute: only small letters and digits`);
  return attributes;
}

/** Those of headers; null where none has the prefix. */
export function attributesOf(headers: readonly Header[]): Attributes | null {
  const attributes = new Map<string, string>();
  for (const { key, value } of headers)
    if (key.startsWith(PREFIX) && value !== null && value !== undefined)
      attributes.set(key.slice(PREFIX.length), textOf(value));
  return attributes.size === 0 ? null : attributes;
}

/** The last one counts. */
export function contentTypeOf(headers: readonly Header[]): string | null {
  const value = headers.findLast(({ key }) => key.toLowerCase() === CONTENT_TYPE)?.value;
  return value === undefined || value === null ? null : textOf(value);
}

export function withoutEvent(headers: readonly Header[]): readonly Header[] {
  return headers.filter(({ key }) => !key.startsWith(PREFIX) && key.toLowerCase() !== CONTENT_TYPE);
}

export function header(key: string, value: string): Header {
  return { key, schema: STRING_SCHEMA, value };
}

/** Those of an envelope: everything but data. */
export function envelopeAttributes(envelope: Fields): Attributes {
  const attributes = new Map<string, string>();
  for (const name of Object.keys(envelope)) {
    const value = fieldOf(envelope, name);
    if (name === DATA || name === DATA_BASE64 || value === null || value === undefined) continue;
    attributes.set(name, textOf(value));
  }
  return attributes;
}

/** SimpleHeaderConverter makes numbers and times of what looks like them; specversion is one. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (value === 1) return VERSION;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  throw bad('an attribute is neither text, number nor true or false');
}

export function bad(what: string): DataError {
  return new DataError(`the record is no CloudEvent: ${what}`, { code: 'BAD_CLOUD_EVENT' });
}
