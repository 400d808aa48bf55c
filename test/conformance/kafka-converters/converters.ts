import boolean from '#troupe/converters/boolean.js';
import byteArray from '#troupe/converters/byte-array.js';
import json from '#troupe/converters/json/converter.js';
import { Double, Float, Integer, Long, Short } from '#troupe/converters/numbers.js';
import simpleHeader from '#troupe/converters/simple-header.js';
import string from '#troupe/converters/string.js';
import type { Converter } from '#troupe/sdk/index.js';

interface Compared {
  readonly java: string;
  readonly header: boolean;
  readonly plugin: Converter;
  /** Of what it reads; 0: any. */
  readonly size: number;
}

const ofKafka = (name: string, plugin: Converter, size = 0, header = false): Compared => ({
  java: `org.apache.kafka.connect.${name}`,
  plugin,
  size,
  header,
});

export const CONVERTERS = {
  short: ofKafka('converters.ShortConverter', Short.plugin, 2),
  integer: ofKafka('converters.IntegerConverter', Integer.plugin, 4),
  long: ofKafka('converters.LongConverter', Long.plugin, 8),
  float: ofKafka('converters.FloatConverter', Float.plugin, 4),
  double: ofKafka('converters.DoubleConverter', Double.plugin, 8),
  boolean: ofKafka('converters.BooleanConverter', boolean.plugin, 1),
  bytes: ofKafka('converters.ByteArrayConverter', byteArray.plugin),
  string: ofKafka('storage.StringConverter', string.plugin),
  json: ofKafka('json.JsonConverter', json.plugin),
  header: ofKafka('storage.SimpleHeaderConverter', simpleHeader.plugin, 0, true),
} as const;

export type ConverterName = keyof typeof CONVERTERS;
