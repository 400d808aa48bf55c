import { digestOf } from '../replica/canonical-json.js';
import {
  count,
  flag,
  isObject,
  listOf,
  nullable,
  object,
  optional,
  recordOf,
  text,
} from '../replica/json-shape.js';
import { parseUnitKey, type ConnectorEntry, type TaskSet, type UnitKey } from '../model.js';
import type { EntryMeta, Machine } from '../replica/machine.js';
import { changedKeys, changedSince, isHotKey, isTakenOver } from './hot-keys.js';
import {
  isConfig,
  isConfigEntry,
  isName,
  isTarget,
  type Config,
  type ConfigEntry,
  type ConnectorWrite,
  type TasksWrite,
} from './config-entries.js';
import {
  answer,
  decodeSignal,
  encodeSignals,
  forget,
  giveUp,
  send,
  stopped,
  type SignalErrorCode,
  type SignalRecord,
  type SignalResult,
  type Signals,
} from './signals.js';

import { decodeUsedTopics, encodeUsedTopics, useTopics, type UsedTopics } from './used-topics.js';

export { isConnectorName, type ConfigEntry, type ConnectorWrite, type TasksWrite } from './config-entries.js';

export type ConfigErrorCode =
  | 'CONNECTOR_EXISTS'
  | 'CONNECTOR_NOT_FOUND'
  | 'CONNECTOR_DELETED'
  | 'ALREADY_APPLIED'
  | 'VERSION_CONFLICT'
  | 'TASKS_STALE'
  | SignalErrorCode;

/** `entry`: as it is now; after a DELETE as it was. `signal`: the one that was sent or answered. */
export type ConfigResult =
  | {
      readonly ok: true;
      readonly entry: ConnectorEntry;
      readonly created: boolean;
      readonly signal?: SignalRecord;
    }
  | { readonly ok: false; readonly code: ConfigErrorCode; readonly message: string };

/** To read; only the machine changes it. */
export interface ConfigState {
  readonly connectors: Map<string, ConnectorEntry>;
  /** Deleted connectors with the offset of the deletion, the newest last. */
  readonly tombstones: Map<string, number>;
  /** By connector: hash of the boot file applied last. It outlives the connector. */
  readonly booted: Map<string, string>;
  readonly signals: Signals;
  readonly topics: UsedTopics;
}

/** Bounded by number, not by age: that would trust clocks. The same on every node, or they diverge. */
const MAX_TOMBSTONES = 10_000;
const MAX_BOOTED = 10_000;
/** Keys that changed before their connector came to be planned. */
const MAX_CHANGED = 1000;

export const configMachine: Machine<ConfigState, ConfigEntry, ConfigResult> = {
  name: 'config',
  initial: () => ({
    connectors: new Map(),
    tombstones: new Map(),
    booted: new Map(),
    signals: new Map(),
    topics: new Map(),
  }),
  apply: (state, entry, meta) => ({ state, result: apply(state, entry, meta) }),
  decode: (value) => (isConfigEntry(value) ? value : null),
  encodeSnapshot,
  decodeSnapshot,
  digest: (state) => digestOf(encodeSnapshot(state)),
};

function apply(state: ConfigState, entry: ConfigEntry, meta: EntryMeta): ConfigResult {
  const { offset } = meta;
  const stored = state.connectors.get(entry.name);
  if (entry.type === 'CONNECTOR') return write(state, stored, entry, offset);
  if (stored === undefined) return failure('CONNECTOR_NOT_FOUND', `there is no connector ${entry.name}`);
  switch (entry.type) {
    case 'TARGET':
      if (entry.state === 'STOPPED') {
        const why = { code: 'CONNECTOR_STOPPED', message: stopped(entry.name) };
        giveUp(state.signals, entry.name, () => true, why, meta);
      }
      return save(
        state,
        stored.targetState === entry.state ? stored : { ...stored, targetState: entry.state },
      );
    case 'DELETE':
      return remove(state, stored, offset);
    case 'TASKS':
      return tasks(state, stored, entry, meta);
    case 'SETTINGS':
      return settings(state, stored, entry);
    case 'RESTART':
      return save(state, restarted(stored, entry.connector, entry.tasks, offset));
    case 'REPLAN':
      return save(state, askedToReplan(stored, offset));
    case 'SIGNAL':
      return signalled(stored, send(state.signals, stored, entry, meta));
    case 'TOPICS':
      useTopics(state.topics, entry);
      return { ok: true, entry: stored, created: false };
    case 'ANSWER': {
      const answered = signalled(stored, answer(state.signals, entry, meta));
      if (!answered.ok || entry.replan !== true) return answered;
      return { ...answered, ...save(state, askedToReplan(stored, offset)) };
    }
  }
}

function write(
  state: ConfigState,
  stored: ConnectorEntry | undefined,
  entry: ConnectorWrite,
  offset: number,
): ConfigResult {
  const { name, config, expectedVersion, boot } = entry;
  if (boot !== undefined) {
    if (state.booted.get(name) === boot) {
      return failure('ALREADY_APPLIED', `the boot file of ${name} was applied before`);
    }
    remember(state.booted, name, boot, MAX_BOOTED);
  }
  if (stored === undefined) {
    if (typeof expectedVersion === 'number') {
      return failure(
        'VERSION_CONFLICT',
        `connector ${name} does not exist, but version ${expectedVersion} was expected`,
      );
    }
    if (entry.unlessDeleted === true && state.tombstones.has(name)) {
      return failure('CONNECTOR_DELETED', `connector ${name} was deleted`);
    }
    state.tombstones.delete(name);
    const targetState = entry.initialState ?? 'RUNNING';
    return save(state, { name, config, targetState, version: offset, restart: null, tasks: null }, true);
  }
  if (expectedVersion === null) return failure('CONNECTOR_EXISTS', `connector ${name} already exists`);
  if (expectedVersion !== undefined && expectedVersion !== stored.version) {
    const message = `connector ${name} is at version ${stored.version}, but version ${expectedVersion} was expected: read it again`;
    return failure('VERSION_CONFLICT', message);
  }
  // Tasks of the old config go on until the new plan is there.
  if (sameConfig(stored.config, config)) return save(state, stored);
  return save(state, { ...stored, config, version: offset, tasks: drifted(stored, config) });
}

/** Remembers what changes under the tasks that are planned: it decides whether they can take it over. */
function drifted({ tasks, version, config: before }: ConnectorEntry, after: Config): TaskSet | null {
  const known = tasks === null ? null : changedSince(tasks, version);
  if (tasks === null || known === null) return tasks;
  const changed = [...new Set([...known, ...changedKeys(before, after)])].sort();
  if (changed.every(isHotKey) && changed.length <= MAX_CHANGED) return { ...tasks, changed };
  // They start anew, whatever else changes until they are planned.
  const { changed: _hot, ...restarting } = tasks;
  return tasks.changed === undefined ? tasks : restarting;
}

function remove(state: ConfigState, stored: ConnectorEntry, offset: number): ConfigResult {
  state.connectors.delete(stored.name);
  forget(state.signals, stored.name);
  state.topics.delete(stored.name);
  remember(state.tombstones, stored.name, offset, MAX_TOMBSTONES);
  return { ok: true, entry: stored, created: false };
}

/** The newest last; what was remembered longest is forgotten. */
function remember<V>(map: Map<string, V>, key: string, value: V, max: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > max && oldest !== undefined) map.delete(oldest);
}

function tasks(
  state: ConfigState,
  stored: ConnectorEntry,
  { connectorVersion, configs, epoch, asked }: TasksWrite,
  meta: EntryMeta,
): ConfigResult {
  const stale = staleness(stored, { connectorVersion, epoch });
  if (stale !== null) return stale;
  const newest = stored.tasks?.epoch;
  const planned = replanned(stored, asked);
  const by = epoch === undefined ? {} : { epoch };
  if (planned.tasks !== null && samePlan(planned.tasks, connectorVersion, configs)) {
    if (epoch === undefined || epoch === newest) return save(state, planned);
    return save(state, { ...planned, tasks: { ...planned.tasks, epoch } });
  }
  const isGone = (unit: UnitKey): boolean => (parseUnitKey(unit).task ?? -1) >= configs.length;
  giveUp(state.signals, stored.name, isGone, TASK_GONE, meta);
  const restarts = stored.restarts === undefined ? {} : { restarts: { ...stored.restarts, tasks: {} } };
  return save(state, {
    ...planned,
    ...restarts,
    tasks: { connectorVersion, generation: meta.offset, configs, ...by },
  });
}

/** The tasks keep their generation, and so run on. */
function settings(
  state: ConfigState,
  stored: ConnectorEntry,
  { connectorVersion, configs, epoch, asked }: TasksWrite,
): ConfigResult {
  const stale = staleness(stored, { connectorVersion, epoch });
  if (stale !== null) return stale;
  const { tasks: present } = stored;
  if (present === null || !isTakenOver(present, { connectorVersion, configs })) {
    const message = `the tasks of connector ${stored.name} cannot take over what was planned: they start anew with it`;
    return failure('TASKS_STALE', message);
  }
  const { generation } = present;
  const by = epoch === undefined ? {} : { epoch };
  return save(state, {
    ...replanned(stored, asked),
    tasks: { connectorVersion, generation, configs, ...by },
  });
}

function staleness(
  stored: ConnectorEntry,
  { connectorVersion, epoch }: { readonly connectorVersion: number; readonly epoch: number | undefined },
): ConfigResult | null {
  if (connectorVersion !== stored.version) {
    const message = `connector ${stored.name} is at version ${stored.version}: tasks planned from version ${connectorVersion} are out of date`;
    return failure('TASKS_STALE', message);
  }
  const newest = stored.tasks?.epoch;
  if (epoch === undefined || newest === undefined || epoch >= newest) return null;
  const message = `the tasks of connector ${stored.name} were planned at epoch ${newest}: those of epoch ${epoch} are out of date`;
  return failure('TASKS_STALE', message);
}

const TASK_GONE = { code: 'TASK_GONE', message: 'the connector has planned fewer tasks since' };

function askedToReplan(stored: ConnectorEntry, offset: number): ConnectorEntry {
  return { ...stored, replans: { planned: stored.replans?.planned ?? 0, asked: offset } };
}

/** `asked`: what the plan has seen of requests. */
function replanned(stored: ConnectorEntry, asked: number | undefined): ConnectorEntry {
  const { replans } = stored;
  if (replans === undefined || asked === undefined || asked <= replans.planned) return stored;
  return { ...stored, replans: { ...replans, planned: asked } };
}

function signalled(entry: ConnectorEntry, result: SignalResult): ConfigResult {
  return result.ok ? { ok: true, entry, created: false, signal: result.signal } : result;
}

/**
 * A plan from another config is never the same, even with equal task configs: the connector's own settings
 * (converters, error handling) reach its tasks only when they start anew.
 */
function samePlan(present: TaskSet, connectorVersion: number, configs: readonly Config[]): boolean {
  return (
    present.connectorVersion === connectorVersion &&
    present.configs.length === configs.length &&
    present.configs.every((config, i) => sameConfig(config, configs[i] ?? {}))
  );
}

/** Each unit keeps the offset of its own newest request: a later one for others must not make it forgotten. */
function restarted(
  stored: ConnectorEntry,
  connector: boolean,
  asked: readonly number[],
  offset: number,
): ConnectorEntry {
  const known = stored.tasks?.configs.length ?? 0;
  const covered = [...new Set(asked)].filter((task) => task < known).sort((a, b) => a - b);
  const marks: Record<number, number> = { ...stored.restarts?.tasks };
  for (const task of covered) marks[task] = offset;
  return {
    ...stored,
    restart: { offset, connector, tasks: covered },
    restarts: { connector: connector ? offset : (stored.restarts?.connector ?? 0), tasks: marks },
  };
}

function save(state: ConfigState, changed: ConnectorEntry, created = false): ConfigResult {
  const entry = withoutOldPlan(changed);
  state.connectors.set(entry.name, entry);
  return { ok: true, entry, created };
}

/**
 * A STOPPED connector keeps the plan of its present config alone. Nodes see states, not each step: one that has not
 * noticed the stop would run on what it has when the connector is resumed.
 */
function withoutOldPlan(entry: ConnectorEntry): ConnectorEntry {
  const { targetState, tasks, version } = entry;
  const old = targetState === 'STOPPED' && tasks !== null && tasks.connectorVersion !== version;
  return old ? { ...entry, tasks: null } : entry;
}

function failure(code: ConfigErrorCode, message: string): ConfigResult {
  return { ok: false, code, message };
}

export function sameConfig(a: Config, b: Config): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key])
  );
}

const isTaskSet = object<TaskSet>({
  connectorVersion: count,
  generation: count,
  configs: listOf(isConfig),
  epoch: optional(count),
  changed: optional(listOf(text)),
});
const isConnectorEntry = object<ConnectorEntry>({
  name: isName,
  config: isConfig,
  targetState: isTarget,
  version: count,
  restart: nullable(object({ offset: count, connector: flag, tasks: listOf(count) })),
  restarts: optional(object({ connector: count, tasks: recordOf(count) })),
  tasks: nullable(isTaskSet),
  replans: optional(object({ asked: count, planned: count })),
});
const isTasks = object<{ tasksOf: string; tasks: TaskSet }>({ tasksOf: isName, tasks: isTaskSet });
const isBooted = object<{ booted: string; hash: string }>({ booted: isName, hash: text });
const isTombstone = object<{ deleted: string; offset: number }>({ deleted: isName, offset: count });

/** Its tasks are an item of their own: they and the config were entries of their own, and one message may not hold both. */
function* encodeSnapshot(state: ConfigState): Generator {
  for (const connector of state.connectors.values()) {
    yield { connector: { ...connector, tasks: null } };
    if (connector.tasks !== null) yield { tasksOf: connector.name, tasks: connector.tasks };
  }
  for (const [deleted, offset] of state.tombstones) yield { deleted, offset };
  for (const [booted, hash] of state.booted) yield { booted, hash };
  yield* encodeSignals(state.signals);
  yield* encodeUsedTopics(state.topics);
}

function decodeSnapshot(items: readonly unknown[]): ConfigState | null {
  const state = configMachine.initial();
  for (const item of items) {
    if (isTombstone(item)) state.tombstones.set(item.deleted, item.offset);
    else if (isBooted(item)) state.booted.set(item.booted, item.hash);
    else if (isTasks(item)) {
      const connector = state.connectors.get(item.tasksOf);
      if (connector === undefined) return null;
      state.connectors.set(item.tasksOf, withoutOldPlan({ ...connector, tasks: item.tasks }));
    } else if (isObject(item) && isConnectorEntry(item['connector'])) {
      state.connectors.set(item['connector'].name, item['connector']);
    } else if (!decodeUsedTopics(state.topics, item) && !decodeSignal(state.signals, item)) return null;
  }
  return state;
}
