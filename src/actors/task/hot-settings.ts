/** What of its configuration a task takes over while it runs: core/connectors/hot-keys.ts. */
import { changedKeys, isChainKey } from '../../core/connectors/hot-keys.js';
import { ratesOfTask, type ThrottleRates } from '../../core/throttle.js';
import type { Tolerance } from '../../core/tolerance.js';
import type { PluginCatalog } from '../../plugins/catalog.js';
import { toleranceOf } from '../../plugins/config-errors.js';
import { commonDefinition } from '../../plugins/config-common.js';
import { throttleOf } from '../../plugins/config-throttle.js';
import { buildConverter, type ConverterPart, type LoadedConverter } from '../../plugins/converter-config.js';
import { buildTransformChain, type TransformChain } from '../../plugins/transform-chain.js';
import { parseConfigOrThrow } from '../../sdk/config-parse.js';
import type { ParsedConfig } from '../../sdk/config.js';
import type { RawConfig } from '../../sdk/plugin.js';
import type { TaskParams } from './protocol.js';
import type { BatchLimits } from './source/source-writer.js';

/** They change between two records: whoever uses them looks at them anew for each record, call or append. */
export interface HotSettings {
  chain: TransformChain | null;
  keyConverter: LoadedConverter;
  valueConverter: LoadedConverter;
  headerConverter: LoadedConverter;
  tolerance: Tolerance;
  limits: BatchLimits;
  /** Of this task. */
  throttle: ThrottleRates;
  /** Of sinks. */
  offsetFlushIntervalMs: number;
}

export interface Before {
  readonly config: RawConfig;
  readonly settings: Readonly<HotSettings>;
}

/**
 * Throws ConfigError, and closes what was made. `before`: what of it is configured as it was is kept, with what it remembers. Configs
 * with their references resolved.
 */
export async function buildHotSettings(
  kind: 'source' | 'sink',
  { config: raw, settings, taskCount }: Pick<TaskParams, 'config' | 'settings' | 'taskCount'>,
  catalog: PluginCatalog,
  before: Before | null = null,
): Promise<HotSettings> {
  const common = parseConfigOrThrow(commonDefinition(kind), raw);
  const changed = before === null ? null : changedKeys(before.config, raw);
  const converter = (part: ConverterPart, present: LoadedConverter | undefined): Promise<LoadedConverter> => {
    const name = `${part}.converter`;
    const isChanged = changed?.some((key) => key === name || key.startsWith(`${name}.`)) ?? true;
    if (present !== undefined && !isChanged) return Promise.resolve(present);
    return buildConverter(raw, part, settings[`${part}Converter`], catalog);
  };
  const present = before?.settings;
  // Last, as it is what has to be closed.
  const keyConverter = await converter('key', present?.keyConverter);
  const valueConverter = await converter('value', present?.valueConverter);
  const headerConverter = await converter('header', present?.headerConverter);
  const chain =
    present !== undefined && changed?.some(isChainKey) !== true
      ? present.chain
      : await buildTransformChain(raw, catalog);
  return {
    chain: chain?.size === 0 ? null : chain,
    keyConverter,
    valueConverter,
    headerConverter,
    tolerance: toleranceOf(common),
    limits: limitsOf(common),
    throttle: ratesOfTask(throttleOf(common), taskCount),
    offsetFlushIntervalMs: common.has('offset.flush.interval.ms')
      ? common.int('offset.flush.interval.ms')
      : settings.offsetFlushIntervalMs,
  };
}

/** As it is at the moment, for what is made once. */
export function presentTolerance(settings: Pick<HotSettings, 'tolerance'>): Tolerance {
  return {
    get tolerance() {
      return settings.tolerance.tolerance;
    },
    get retryTimeoutMs() {
      return settings.tolerance.retryTimeoutMs;
    },
    get retryDelayMaxMs() {
      return settings.tolerance.retryDelayMaxMs;
    },
    get logErrors() {
      return settings.tolerance.logErrors;
    },
    get logMessages() {
      return settings.tolerance.logMessages;
    },
    breaker: {
      get failures() {
        return settings.tolerance.breaker.failures;
      },
      get window() {
        return settings.tolerance.breaker.window;
      },
    },
  };
}

function limitsOf(common: ParsedConfig): BatchLimits {
  return {
    maxRecords: common.int('batch.max.records'),
    maxBytes: common.int('batch.max.bytes'),
    lingerMs: common.int('linger.ms'),
  };
}
