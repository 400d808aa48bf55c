import type { Plugin, Transform } from '../sdk/index.js';

/** Drops every record it is given: to be used with a predicate. */
const transform: Transform = { version: '1.0.0', config: [], create: () => ({ apply: () => null }) };

export default { type: 'transformation', plugin: transform } satisfies Plugin;
