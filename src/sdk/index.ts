export * from './config.js';
export * from './config-parse.js';
export * from './decimal.js';
export * from './errors.js';
export * from './exact-json.js';
export * from './java-pattern/java-pattern.js';
export { javaDateFormat, type JavaDateFormat } from './java-date/date-format.js';
export * from './java-numbers.js';
export * from './metrics.js';
export * from './per-schema.js';
export * from './plugin.js';
export * from './record.js';
export * from './schema.js';
export * from './schema-builder.js';
export * from './schema-constants.js';
export * from './value.js';
export * from './within.js';
export { JsonReaders, NEEDS_EXACT, readSchemaless, type JsonRead } from './json-values/read-value.js';
export {
  jsonString,
  JsonWriters,
  writeSchemaless,
  type JsonWrite,
  type JsonWriteOptions,
} from './json-values/write-value.js';
export { decimalText, doubleText, floatText } from './value-text/number-text.js';
export { parseValueText } from './value-text/parse-value-text.js';
export { valueText } from './value-text/value-text.js';
