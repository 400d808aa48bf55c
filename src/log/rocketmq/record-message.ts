/**
 * Records as RocketMQ's messages, so that its other clients can read and write them. docs/rocketmq.md has the table:
 *
 *     value       the body
 *     key         KEYS
 *     timestamp   the time of birth; where the messages of one request have several, TROUPE_TIME
 *     header      a property of its name; TAGS is one, too
 *
 * What RocketMQ has no room for stands in properties of ours, so that nothing is lost:
 *
 *     TROUPE_VALUE      `null` or `empty`: then the body is only a stand-in, since RocketMQ's clients take no empty one
 *     TROUPE_KEY        a key that is empty, not text, or holds a separator of properties: a dot, then base64url
 *     TROUPE_ID         what its writer knows the record by (record-id.ts); no reader of records sees it
 *     TROUPE_TX         which transaction it is part of (transaction-mark.ts), a header of this name
 *     TROUPE_HEADER.n   such a header, one of a reserved name, or the second of a name: name and value likewise
 */
import type { RecordHeader } from '../batch-headers.js';
import type { BatchBuilder, BatchReader } from '../batch.js';
import type { StoredMessage } from './message.js';
import {
  isPropertyName,
  isPropertyValue,
  readProperties,
  type PropertyWriter,
} from './message-properties.js';
import { ID_PROPERTY, isRecordId } from './record-id.js';
import { TRANSACTION_HEADER } from '../transaction-mark.js';
import { isReserved } from './reserved-properties.js';

const KEYS = 'KEYS';
const OURS = 'TROUPE_';
const VALUE = 'TROUPE_VALUE';
const KEY = 'TROUPE_KEY';
const TIME = 'TROUPE_TIME';
const HEADER = 'TROUPE_HEADER.';
const SPACE = 0x20;
const NULL = 'null';
const EMPTY = 'empty';
/** Read as JSON, the one is a null as well. */
const NULL_BODY = Buffer.from('null');
const EMPTY_BODY = Buffer.from(' ');
const NO_BYTES = Buffer.alloc(0);

/** Writes the properties of record `index`, and returns its body. `bornTimestamp`: of the request it goes with. */
export function toMessage(
  records: BatchReader,
  index: number,
  bornTimestamp: number,
  properties: PropertyWriter,
): Uint8Array {
  properties.reset();
  const key = records.key(index);
  if (key !== null) {
    // RocketMQ takes KEYS for a list, separated by spaces, of which its proxy drops those at the end.
    if (isPropertyValue(key) && key.at(-1) !== SPACE) properties.add(KEYS, key);
    else properties.add(KEY, escaped(key));
  }
  const timestamp = records.timestamp(index);
  if (timestamp !== bornTimestamp) properties.add(TIME, String(timestamp));
  const headers = records.headers(index);
  if (headers.length > 0) addHeaders(headers, properties);
  const value = records.value(index);
  if (value !== null && value.length > 0) return value;
  properties.add(VALUE, value === null ? NULL : EMPTY);
  return value === null ? NULL_BODY : EMPTY_BODY;
}

function addHeaders(headers: readonly RecordHeader[], properties: PropertyWriter): void {
  for (const [i, [name, value]] of headers.entries()) {
    const first = headers.findIndex(([other]) => other === name) === i;
    if (first && isHeaderName(name) && isPropertyValue(value)) properties.add(name, value);
    else properties.add(`${HEADER}${i}`, `${escaped(Buffer.from(name))}${escaped(value)}`);
  }
}

/** Protocol Buffers in JavaScript lose an entry of a map that is named `__proto__`. */
function isHeaderName(name: string): boolean {
  if (name === TRANSACTION_HEADER) return true;
  return isPropertyName(name) && !name.startsWith(OURS) && !isReserved(name) && name !== '__proto__';
}

/** Adds the record that a message stands for, whoever sent it, and returns its TROUPE_ID. */
export function addRecord(message: StoredMessage, builder: BatchBuilder): Buffer | null {
  let id: Buffer | null = null;
  let key: Uint8Array | null = null;
  let value: Uint8Array | null = message.body;
  let timestamp = Number.isSafeInteger(message.bornTimestamp)
    ? message.bornTimestamp
    : message.storeTimestamp;
  let headers: RecordHeader[] | null = null;
  readProperties(message.properties, (name, data) => {
    if (name === KEYS) key ??= data;
    else if (name === ID_PROPERTY && isRecordId(data)) id = data;
    else if (name.startsWith(OURS)) {
      const text = data.toString('latin1');
      const ours = readOurs(name, text);
      if (ours === null) (headers ??= []).push([name, data]);
      else if (ours.what === 'key') key = ours.key;
      else if (ours.what === 'time') timestamp = ours.timestamp;
      else if (ours.what === 'value') value = ours.value;
      else (headers ??= []).push(ours.header);
    } else if (!isReserved(name)) (headers ??= []).push([name, data]);
  });
  builder.add(key, value, timestamp, headers);
  return id;
}

type Ours =
  | { readonly what: 'key'; readonly key: Uint8Array }
  | { readonly what: 'time'; readonly timestamp: number }
  | { readonly what: 'value'; readonly value: Uint8Array | null }
  | { readonly what: 'header'; readonly header: RecordHeader };

/** Null: somebody else's property after all. */
function readOurs(name: string, text: string): Ours | null {
  if (name === VALUE && text === NULL) return { what: 'value', value: null };
  if (name === VALUE && text === EMPTY) return { what: 'value', value: NO_BYTES };
  if (name === TIME) {
    const timestamp = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(timestamp) ? { what: 'time', timestamp } : null;
  }
  if (name === KEY) {
    const [key] = unescaped(text, 1) ?? [];
    return key === undefined ? null : { what: 'key', key };
  }
  if (name.startsWith(HEADER)) {
    const [headerName, value] = unescaped(text, 2) ?? [];
    if (headerName === undefined || value === undefined) return null;
    return { what: 'header', header: [headerName.toString('utf8'), value] };
  }
  return null;
}

function escaped(bytes: Uint8Array): string {
  return `.${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')}`;
}

function unescaped(text: string, count: number): Buffer[] | null {
  if (!/^(\.[\w-]*)+$/.test(text)) return null;
  const parts = text.slice(1).split('.');
  return parts.length === count ? parts.map((part) => Buffer.from(part, 'base64url')) : null;
}
