import { JsonError, parseExactJson, type JsonValue } from '../core/connectors/exact-json.js';
import { HttpError } from './errors.js';

export { isForbiddenKey, isJsonMap, type JsonMap, type JsonValue } from '../core/connectors/exact-json.js';

/** Fails with BODY_NOT_JSON, telling line and column. */
export function parseJson(text: string): JsonValue {
  try {
    return parseExactJson(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new HttpError('BODY_NOT_JSON', `The body is not JSON: ${error.message}.`);
  }
}
