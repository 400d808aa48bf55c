import { DataError } from '../errors.js';
import type { Schema } from '../schema.js';

/** The schema of an array's items, or of a map's keys or values. */
export function part(schema: Schema, found: Schema | undefined): Schema {
  if (found !== undefined) return found;
  throw new DataError(`a schema of type ${schema.type} lacks the schema of its parts`, {
    code: 'BAD_SCHEMA',
  });
}
