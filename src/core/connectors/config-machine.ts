import { digestOf } from '../replica/canonical-json.js';
import {
  byType,
  count,
  flag,
  isObject,
  listOf,
  nullable,
  object,
  oneOf,
  optional,
  recordOf,
  text,
  type Shape,
} from '../replica/json-shape.js';
import type { ConnectorEntry, TargetState, TaskSet } from '../model.js';
import type { EntryMeta, Machine } from '../replica/machine.js';

type Config = Readonly<Record<string, string>>;

export interface ConnectorWrite {
  readonly name: string;
  readonly config: Config;
  /** VERSION_CONFLICT unless the stored version is this one; null: CONNECTOR_EXISTS when there is a connector. */
  readonly expectedVersion?: number | null;
  /** Of a connector that this write creates; default RUNNING. */
  readonly initialState?: TargetState;
  /** For whoever repeats old knowledge (a file, a node that was away): CONNECTOR_DELETED when it was deleted. */
  readonly unlessDeleted?: boolean;
  /**
   * Hash of the boot file that says so. ALREADY_APPLIED when this was the last one applied for the name, by whatever node:
   * a node that comes later must not undo what was changed or deleted since.
   */
  readonly boot?: string;
}

/** The outcome of planning from the connector's config of this version. */
export interface TasksWrite {
  readonly name: string;
  readonly connectorVersion: number;
  readonly configs: readonly Config[];
  /** Of the planner's claim. TASKS_STALE when a newer one has planned: this planner was evicted in the meantime. */
  readonly epoch?: number;
}

export type ConfigEntry =
  | ({ readonly type: 'CONNECTOR' } & ConnectorWrite)
  | { readonly type: 'TARGET'; readonly name: string; readonly state: TargetState }
  | { readonly type: 'DELETE'; readonly name: string }
  | ({ readonly type: 'TASKS' } & TasksWrite)
  | {
      readonly type: 'RESTART';
      readonly name: string;
      readonly connector: boolean;
      readonly tasks: readonly number[];
    };

export type ConfigErrorCode =
  | 'CONNECTOR_EXISTS'
  | 'CONNECTOR_NOT_FOUND'
  | 'CONNECTOR_DELETED'
  | 'ALREADY_APPLIED'
  | 'VERSION_CONFLICT'
  | 'TASKS_STALE';

/** `entry`: as it is now; after a DELETE as it was. */
export type ConfigResult =
  | { readonly ok: true; readonly entry: ConnectorEntry; readonly created: boolean }
  | { readonly ok: false; readonly code: ConfigErrorCode; readonly message: string };

/** To read; only the machine changes it. */
export interface ConfigState {
  readonly connectors: Map<string, ConnectorEntry>;
  /** Deleted connectors with the offset of the deletion, the newest last. */
  readonly tombstones: Map<string, number>;
  /** By connector: hash of the boot file applied last. It outlives the connector. */
  readonly booted: Map<string, string>;
}

/** Bounded by number, not by age: that would trust clocks. The same on every node, or they diverge. */
const MAX_TOMBSTONES = 10_000;
const MAX_BOOTED = 10_000;

export const configMachine: Machine<ConfigState, ConfigEntry, ConfigResult> = {
  name: 'config',
  initial: () => ({ connectors: new Map(), tombstones: new Map(), booted: new Map() }),
  apply: (state, entry, meta) => ({ state, result: apply(state, entry, meta) }),
  decode: (value) => (isConfigEntry(value) ? value : null),
  encodeSnapshot,
  decodeSnapshot,
  digest: (state) => digestOf(encodeSnapshot(state)),
};

function apply(state: ConfigState, entry: ConfigEntry, { offset }: EntryMeta): ConfigResult {
  const stored = state.connectors.get(entry.name);
  if (entry.type === 'CONNECTOR') return write(state, stored, entry, offset);
  if (stored === undefined) return failure('CONNECTOR_NOT_FOUND', `there is no connector ${entry.name}`);
  switch (entry.type) {
    case 'TARGET':
      return save(
        state,
        stored.targetState === entry.state ? stored : { ...stored, targetState: entry.state },
      );
    case 'DELETE':
      return remove(state, stored, offset);
    case 'TASKS':
      return tasks(state, stored, entry, offset);
    case 'RESTART':
      return save(state, restarted(stored, entry.connector, entry.tasks, offset));
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
  return save(state, sameConfig(stored.config, config) ? stored : { ...stored, config, version: offset });
}

function remove(state: ConfigState, stored: ConnectorEntry, offset: number): ConfigResult {
  state.connectors.delete(stored.name);
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
  { connectorVersion, configs, epoch }: TasksWrite,
  offset: number,
): ConfigResult {
  if (connectorVersion !== stored.version) {
    const message = `connector ${stored.name} is at version ${stored.version}: tasks planned from version ${connectorVersion} are out of date`;
    return failure('TASKS_STALE', message);
  }
  const newest = stored.tasks?.epoch;
  if (epoch !== undefined && newest !== undefined && epoch < newest) {
    const message = `the tasks of connector ${stored.name} were planned at epoch ${newest}: those of epoch ${epoch} are out of date`;
    return failure('TASKS_STALE', message);
  }
  const by = epoch === undefined ? {} : { epoch };
  if (stored.tasks !== null && samePlan(stored.tasks, connectorVersion, configs)) {
    if (epoch === undefined || epoch === newest) return save(state, stored);
    return save(state, { ...stored, tasks: { ...stored.tasks, epoch } });
  }
  const restarts = stored.restarts === undefined ? {} : { restarts: { ...stored.restarts, tasks: {} } };
  return save(state, {
    ...stored,
    ...restarts,
    tasks: { connectorVersion, generation: offset, configs, ...by },
  });
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

const isTarget = oneOf<TargetState>('RUNNING', 'PAUSED', 'STOPPED');
const isConfig = recordOf(text);
/** What a claim, a status and a path are made of: no slash, or one unit could be taken for another. */
const isName: Shape<string> = (value): value is string => text(value) && value !== '' && !value.includes('/');

/** Whether entries of a connector of this name can be read. */
export function isConnectorName(name: string): boolean {
  return isName(name);
}

const isConfigEntry = byType<ConfigEntry>({
  CONNECTOR: object<ConnectorWrite>({
    name: isName,
    config: isConfig,
    expectedVersion: optional(nullable(count)),
    initialState: optional(isTarget),
    unlessDeleted: optional(flag),
    boot: optional(text),
  }),
  TARGET: object({ name: isName, state: isTarget }),
  DELETE: object({ name: isName }),
  TASKS: object<TasksWrite>({
    name: isName,
    connectorVersion: count,
    configs: listOf(isConfig),
    epoch: optional(count),
  }),
  RESTART: object({ name: isName, connector: flag, tasks: listOf(count) }),
});

const isTaskSet = object<TaskSet>({
  connectorVersion: count,
  generation: count,
  configs: listOf(isConfig),
  epoch: optional(count),
});
const isConnectorEntry = object<ConnectorEntry>({
  name: isName,
  config: isConfig,
  targetState: isTarget,
  version: count,
  restart: nullable(object({ offset: count, connector: flag, tasks: listOf(count) })),
  restarts: optional(object({ connector: count, tasks: recordOf(count) })),
  tasks: nullable(isTaskSet),
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
    } else return null;
  }
  return state;
}
