import type { ConfigKey, Plugin, Transform } from '../sdk/index.js';
import { KEY, VALUE, type Part } from './part.js';

const without = (name: string): ConfigKey => ({
  name,
  type: 'STRING',
  defaultValue: null,
  importance: 'LOW',
  documentation: 'Taken, as RocketMQ Connect asks for it, and without effect.',
});

/** Takes the key, or the value, away. */
function setNull(part: Part): Transform {
  return {
    version: '1.0.0',
    config: ['field.pattern', 'field.pattern.flags', 'field.replacement'].map(without),
    create: () => ({ apply: (record) => part.replace(record, null, null) }),
  };
}

export const Key = { type: 'transformation', plugin: setNull(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: setNull(VALUE) } satisfies Plugin;
