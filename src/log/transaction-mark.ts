/**
 * Which transaction of its source a record is part of, in a header of a reserved name that no plugin sees. Its value is `1` for the
 * last one of its queue, else `0`, and then the transaction's id; or empty, which says no more than that headers of this name
 * behind it are somebody's own. As a header it needs no other format of batches: older releases show it as one.
 */
import type { RecordTransaction } from '../sdk/record.js';
import type { RecordHeader } from './batch-headers.js';

export const TRANSACTION_HEADER = 'TROUPE_TX';

const NO_TRANSACTION: RecordHeader = [TRANSACTION_HEADER, new Uint8Array(0)];
const INSIDE = 0x30;
const END = 0x31;

export function transactionHeader({ id, end }: RecordTransaction): RecordHeader {
  return [TRANSACTION_HEADER, Buffer.from(`${end ? 1 : 0}${id}`)];
}

/** Headers of a record without a transaction, as they are written. */
export function escapedHeaders(headers: readonly RecordHeader[]): readonly RecordHeader[] {
  for (const [name] of headers) if (name === TRANSACTION_HEADER) return [NO_TRANSACTION, ...headers];
  return headers;
}

export interface MarkedHeaders {
  readonly transaction: RecordTransaction | null;
  /** The others. */
  readonly headers: readonly RecordHeader[];
}

export function readTransaction(headers: readonly RecordHeader[]): MarkedHeaders {
  const at = headers.findIndex(([name]) => name === TRANSACTION_HEADER);
  const value = headers[at]?.[1];
  if (value === undefined) return { transaction: null, headers };
  const rest = headers.filter((_, i) => i !== at);
  if (value.length === 0) return { transaction: null, headers: rest };
  if (value.length === 1 || (value[0] !== INSIDE && value[0] !== END)) return { transaction: null, headers };
  const id = Buffer.from(value.buffer, value.byteOffset + 1, value.byteLength - 1).toString('utf8');
  return { transaction: { id, end: value[0] === END }, headers: rest };
}
