/** The keys of every connector that hold back what it moves. */
import type { ConfigDefinition, ParsedConfig } from '../sdk/config.js';
import type { ThrottleRates } from '../core/throttle.js';

const GROUP = 'Throttle';

export const THROTTLE: ConfigDefinition = [
  {
    name: 'throttle.records.per.second',
    type: 'LONG',
    defaultValue: '0',
    min: 0,
    max: 1_000_000_000,
    importance: 'LOW',
    documentation:
      'The most records that the connector moves in a second: that a source appends to the log, or a sink is given. Its tasks share it evenly. 0: no limit. What a second allows is saved up at most.',
    group: GROUP,
    width: 'SHORT',
    displayName: 'Records per second',
    orderInGroup: 1,
  },
  {
    name: 'throttle.bytes.per.second',
    type: 'LONG',
    defaultValue: '0',
    min: 0,
    max: 1_000_000_000_000,
    importance: 'LOW',
    documentation:
      'The same in bytes: of keys, values and headers, as they stand in the log. A larger record moves whole, and then as long is waited as it takes. 0: no limit.',
    group: GROUP,
    width: 'SHORT',
    displayName: 'Bytes per second',
    orderInGroup: 2,
  },
];

/** Of the connector. */
export function throttleOf(common: ParsedConfig): ThrottleRates {
  return {
    recordsPerSecond: common.int('throttle.records.per.second'),
    bytesPerSecond: common.int('throttle.bytes.per.second'),
  };
}
