/** The headers of records as they stand in the log, by the connector's `header.converter`. */
import { isUtf8 } from 'node:buffer';
import type { LoadedConverter } from '../plugins/converter-config.js';
import { checkConverted, checkSerialised } from '../plugins/plugin-returns.js';
import type { RecordHeader } from '../log/batch-headers.js';
import { DataError } from '../sdk/errors.js';
import type { Header } from '../sdk/record.js';
import { markNulls, unmarkNulls } from './null-headers.js';

export type EncodeHeaders = (topic: string, headers: readonly Header[]) => readonly RecordHeader[];

/** Throws DataError BAD_HEADER, which names the header. */
export function headerEncoder({ instance }: LoadedConverter): EncodeHeaders {
  return (topic, headers) =>
    markNulls(
      headers.map(({ key, schema, value }) => {
        // A header of JavaScript may have been made without a schema.
        const converted = named(key, () => instance.fromConnectData(topic, schema ?? null, value ?? null));
        const data = checkSerialised('header', converted);
        return [key, typeof data === 'string' ? Buffer.from(data, 'utf8') : data] as const;
      }),
    );
}

/** Throws DataError BAD_HEADER, which names the header. */
export function decodeHeaders(
  { input, instance }: LoadedConverter,
  topic: string,
  stored: readonly RecordHeader[],
): readonly Header[] {
  return unmarkNulls(stored).map(([key, bytes]) => {
    const data = bytes !== null && input === 'text' && isUtf8(bytes) ? textOf(bytes) : bytes;
    const converted = named(key, () => instance.toConnectData(topic, data));
    const { schema, value } = checkConverted('header', converted);
    return { key, schema, value };
  });
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function named<T>(key: string, convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(`the header ${key.slice(0, 100)}: ${error.message}`, {
      code: 'BAD_HEADER',
      cause: error,
    });
  }
}
