/** For authors of connectors: an acceptance suite on node:test, and the harnesses it drives plugins with. */
export * from './accept-sink.js';
export * from './accept-source.js';
export * from './any-file.js';
export type { AppendedRecord } from './queues-in-memory.js';
export * from './recorded-metrics.js';
export * from './recording-logger.js';
export * from './sink-harness.js';
export * from './source-harness.js';
