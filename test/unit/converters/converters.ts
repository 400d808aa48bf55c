import assert from 'node:assert/strict';
import byteArray from '#troupe/converters/byte-array.js';
import json from '#troupe/converters/json/converter.js';
import string from '#troupe/converters/string.js';
import { parseConfigOrThrow, type ConverterInstance } from '#troupe/sdk/index.js';
import { DataError } from '#troupe/sdk/index.js';

const CONVERTERS = { json, string, byteArray };

export function converter(
  name: keyof typeof CONVERTERS,
  raw: Readonly<Record<string, string>> = {},
): ConverterInstance {
  const { plugin } = CONVERTERS[name];
  return plugin.create(parseConfigOrThrow(plugin.config, raw), { isKey: false });
}

/** Matches a DataError of this code whose message matches. */
export function dataError(code: string, message: RegExp = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof DataError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}
