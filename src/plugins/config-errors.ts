/** `errors.*`: what a connector does about records that it cannot handle. */
import type { BreakerSettings } from '../core/error-breaker.js';
import type { Tolerance } from '../core/tolerance.js';
import type { ConfigDefinition, ConfigIssue, ConfigKey, ParsedConfig } from '../sdk/config.js';
import { parseConfig } from '../sdk/config-parse.js';
import type { RawConfig } from '../sdk/plugin.js';
import { own } from './config-plugins.js';

const GROUP = 'Error Handling';

function key(
  orderInGroup: number,
  rest: Omit<ConfigKey, 'group' | 'orderInGroup' | 'importance' | 'width'> &
    Partial<Pick<ConfigKey, 'importance' | 'width'>>,
): ConfigKey {
  return { importance: 'MEDIUM', width: 'SHORT', group: GROUP, orderInGroup, ...rest };
}

const BREAKER_FAILURES = 'errors.breaker.failures';
const BREAKER_WINDOW = 'errors.breaker.window';

export const ERROR_HANDLING: ConfigDefinition = [
  key(1, {
    name: 'errors.retry.timeout',
    type: 'LONG',
    max: Number.MAX_SAFE_INTEGER,
    defaultValue: null,
    min: -1,
    documentation:
      'How long a record is tried again whose converter or transform says that it may pass later, in milliseconds, before it counts as bad; 0: not at all; -1, or not given: for ever. ' +
      'A put, poll or flush is tried for as long as its error says so, whatever this is; but a shared sink gives back records that it could not put for so long, at once where this is not given.',
    width: 'MEDIUM',
    displayName: 'Retry Timeout for Errors',
  }),
  key(2, {
    name: 'errors.retry.delay.max.ms',
    type: 'LONG',
    max: Number.MAX_SAFE_INTEGER,
    defaultValue: '60000',
    min: 1,
    documentation:
      'The longest wait between two tries, in milliseconds. Waits double up to it, with a random part.',
    width: 'MEDIUM',
    displayName: 'Maximum Delay Between Retries for Errors',
  }),
  key(3, {
    name: 'errors.tolerance',
    type: 'STRING',
    defaultValue: 'none',
    allowed: ['none', 'all'],
    documentation:
      'none: a record that cannot be converted, transformed or written fails its task. all: it is skipped; the log says how many there were and where the last one was, and the status counts them.',
    displayName: 'Error Tolerance',
  }),
  key(4, {
    name: 'errors.log.enable',
    type: 'BOOLEAN',
    defaultValue: 'false',
    documentation:
      'Write each bad record to the log, not the last one of ten seconds: its error and where it is, not what it holds.',
    displayName: 'Log Errors',
  }),
  key(5, {
    name: 'errors.log.include.messages',
    type: 'BOOLEAN',
    defaultValue: 'false',
    documentation: 'Write what bad records hold to the log as well. It may be confidential.',
    displayName: 'Log Error Details',
  }),
  key(20, {
    name: BREAKER_FAILURES,
    type: 'INT',
    defaultValue: '0',
    min: 0,
    max: 10_000,
    documentation:
      'With errors.tolerance=all: so many bad records among the last errors.breaker.window ones stop the task as FAILED, before it skips all there are. The one that stops it is not skipped. 0: it is never stopped for that.',
    displayName: 'Bad Records that Stop',
  }),
  key(21, {
    name: BREAKER_WINDOW,
    type: 'INT',
    defaultValue: '100',
    min: 1,
    max: 1_000_000,
    documentation: 'Records in a row in which errors.breaker.failures are too many, counted by each task.',
    displayName: 'Window of Bad Records',
  }),
];

export function toleranceOf(common: ParsedConfig): Tolerance {
  return {
    tolerance: common.string('errors.tolerance') === 'all' ? 'all' : 'none',
    retryTimeoutMs: common.has('errors.retry.timeout') ? common.int('errors.retry.timeout') : null,
    retryDelayMaxMs: common.int('errors.retry.delay.max.ms'),
    logErrors: common.boolean('errors.log.enable'),
    logMessages: common.boolean('errors.log.include.messages'),
    breaker: breakerOf(common),
  };
}

function breakerOf(common: ParsedConfig): BreakerSettings {
  return { failures: common.int(BREAKER_FAILURES), window: common.int(BREAKER_WINDOW) };
}

/** Of several keys together; what is wrong with one of them alone is its definition's to say. */
export function errorHandlingIssues(raw: RawConfig): readonly ConfigIssue[] {
  const { config, issues } = parseConfig(ERROR_HANDLING, raw);
  if (issues.length > 0) return [];
  const { failures, window } = breakerOf(config);
  if (failures <= window) return [];
  return [
    {
      field: BREAKER_FAILURES,
      value: own(raw, BREAKER_FAILURES),
      reason: `cannot be more than ${BREAKER_WINDOW}, which is ${window}: so many bad records would never be among as few`,
    },
  ];
}
