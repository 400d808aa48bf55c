export * from './config.js';
export * from './registry.js';
export * from './subjects.js';
export * from './transport.js';
export * from './wire.js';
