/** Confluent's wire format: a zero, the id of the schema in four bytes, and what the schema's format has. */
import { DataError } from '@troupe/sdk';

const MAGIC = 0;
export const PREFIX_BYTES = 5;

export function prefixOf(id: number): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeInt32BE(id, 1);
  return prefix;
}

/** Throws DataError NOT_OF_REGISTRY. */
export function schemaIdOf(data: Uint8Array): number {
  if (data.length < PREFIX_BYTES || data[0] !== MAGIC)
    throw new DataError(
      `the ${data.length} bytes do not begin with a zero and a schema's id: what is there was written by another converter`,
      { code: 'NOT_OF_REGISTRY' },
    );
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).readInt32BE(1);
}
