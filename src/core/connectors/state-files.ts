import { count, object } from '../replica/json-shape.js';
import type { ConnectorEntry, SourcePosition, TargetState } from '../model.js';
import type { CopyOrigin } from './cold-start-state.js';

/**
 * The four files under `storePathRootDir`: copies of the replicated states, for people and for a cold start.
 * Plain JSON with a format version; upstream's form, one object of base64 keys and values, is read as well.
 */
export const STATE_FILES = {
  connectors: 'connectorConfig.json',
  tasks: 'taskConfig.json',
  positions: 'position.json',
  offsets: 'offset.json',
} as const;

export type StateFile = keyof typeof STATE_FILES;

const FORMAT = 1;

export interface SavedConnector {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
  readonly targetState: TargetState;
}

/** Hash of the boot file that was applied last for this name: also of a connector that was deleted since. */
export interface SavedBoot {
  readonly booted: string;
  readonly hash: string;
}

export type SavedConfig = SavedConnector | SavedBoot;

/** One position or offset of a connector. */
export interface SavedProgress {
  readonly connector: string;
  readonly item: unknown;
}

function text(from: CopyOrigin, body: object): string {
  return `${JSON.stringify({ formatVersion: FORMAT, from, ...body }, null, 2)}\n`;
}

/** Without a prototype, so that a connector called `__proto__` is a key like any other. */
function dictionary<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const result: Record<string, T> = Object.create(null) as Record<string, T>;
  for (const [key, value] of entries) result[key] = value;
  return result;
}

export function encodeConnectors(
  from: CopyOrigin,
  connectors: readonly ConnectorEntry[],
  booted: Iterable<readonly [string, string]>,
): string {
  return text(from, {
    connectors: dictionary(
      connectors.map(({ name, targetState, version, config }) => [name, { targetState, version, config }]),
    ),
    booted: dictionary(booted),
  });
}

export function encodeTasks(from: CopyOrigin, connectors: readonly ConnectorEntry[]): string {
  return text(from, {
    connectors: dictionary(
      connectors.flatMap(({ name, tasks }) =>
        tasks === null ? [] : [[name, { generation: tasks.generation, tasks: tasks.configs }] as const],
      ),
    ),
  });
}

export function encodePositions(
  from: CopyOrigin,
  positions: Iterable<readonly [string, readonly SourcePosition[]]>,
): string {
  return text(from, { connectors: dictionary(positions) });
}

export function encodeOffsets(
  from: CopyOrigin,
  offsets: Iterable<readonly [string, readonly { topic: string; queue: number; offset: number }[]]>,
): string {
  return text(from, { connectors: dictionary(offsets) });
}

/** A file that cannot be used. The message says what is wrong with it. */
export class StateFileError extends Error {
  override readonly name = 'StateFileError';
  readonly code = 'STATE_FILE_BROKEN';
}

function parseObject(content: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch (error) {
    throw new StateFileError(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isObject(parsed)) throw new StateFileError('it does not hold a JSON object');
  return parsed;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws StateFileError unless the content is one of ours, or upstream's. */
export function checkStateFile(content: string): void {
  const parsed = parseObject(content);
  if (!('formatVersion' in parsed)) {
    decodeUpstream(parsed);
    return;
  }
  if (parsed['formatVersion'] !== FORMAT) {
    throw new StateFileError(
      `its formatVersion is ${JSON.stringify(parsed['formatVersion'])}, this version knows ${FORMAT}`,
    );
  }
  if (!isObject(parsed['connectors'])) throw new StateFileError('it has no object "connectors"');
}

const isOrigin = object<CopyOrigin>({ life: count, offset: count });

/** Which state the file is a copy of. One that does not say so is older than all that do. */
export function originOf(content: string): CopyOrigin {
  const { from } = parseObject(content);
  if (from === undefined) return { life: 0, offset: 0 };
  if (!isOrigin(from)) throw new StateFileError('its "from" does not say which state it is a copy of');
  return from;
}

/** The items of a position.json or an offset.json. Those of upstream mean something else. */
export function decodeProgress(content: string): SavedProgress[] {
  checkStateFile(content);
  const { connectors } = parseObject(content);
  if (!isObject(connectors)) return [];
  return Object.entries(connectors).flatMap(([connector, items]) => {
    if (!Array.isArray(items)) throw new StateFileError(`connector ${connector} has no list`);
    return items.map((item: unknown) => ({ connector, item }));
  });
}

/** What a connectorConfig.json holds, in our form or upstream's. Boot files are not in all of them. */
export function decodeConnectors(content: string): SavedConfig[] {
  checkStateFile(content);
  const parsed = parseObject(content);
  if (!('formatVersion' in parsed)) return decodeUpstream(parsed).map(upstreamConnector);
  return [...connectorsOf(parsed), ...bootedOf(parsed)];
}

function bootedOf({ booted }: Record<string, unknown>): SavedBoot[] {
  if (!isObject(booted)) return [];
  return Object.entries(booted).map(([name, hash]) => {
    if (typeof hash !== 'string') throw new StateFileError(`the boot file of ${name} has no hash`);
    return { booted: name, hash };
  });
}

function connectorsOf({ connectors }: Record<string, unknown>): SavedConnector[] {
  if (!isObject(connectors)) return [];
  return Object.entries(connectors).map(([name, value]) => {
    if (!isObject(value)) throw new StateFileError(`connector ${name} is not an object`);
    return {
      name,
      config: strings(name, value['config']),
      targetState: targetState(name, value['targetState']),
    };
  });
}

function strings(name: string, value: unknown): Record<string, string> {
  if (!isObject(value)) throw new StateFileError(`connector ${name} has no config`);
  return dictionary(
    Object.entries(value).map(([key, item]) => {
      if (typeof item !== 'string') throw new StateFileError(`connector ${name}: ${key} is not a string`);
      return [key, item] as const;
    }),
  );
}

function targetState(name: string, value: unknown): TargetState {
  if (value === 'RUNNING' || value === 'PAUSED' || value === 'STOPPED') return value;
  throw new StateFileError(
    `connector ${name}: targetState ${JSON.stringify(value)} is none of RUNNING, PAUSED, STOPPED`,
  );
}

/** Upstream writes `{ base64(key): base64(value) }`; both decode to JSON text. */
function decodeUpstream(parsed: Record<string, unknown>): { key: string; value: unknown }[] {
  return Object.entries(parsed).map(([key, value]) => {
    if (typeof value !== 'string')
      throw new StateFileError(`its entry ${key} is neither ours nor upstream's base64`);
    try {
      return { key: unquote(fromBase64(key)), value: JSON.parse(fromBase64(value)) as unknown };
    } catch {
      throw new StateFileError(`its entry ${key} is neither ours nor upstream's base64 of JSON`);
    }
  });
}

function fromBase64(data: string): string {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data)) throw new StateFileError('not base64');
  return Buffer.from(data, 'base64').toString('utf8');
}

function unquote(key: string): string {
  if (!key.startsWith('"')) return key;
  const parsed: unknown = JSON.parse(key);
  return typeof parsed === 'string' ? parsed : key;
}

function upstreamConnector({ key, value }: { key: string; value: unknown }): SavedConnector {
  if (!isObject(value)) throw new StateFileError(`connector ${key} is not an object`);
  const state = value['targetState'];
  return {
    name: key,
    config: strings(key, value['properties']),
    targetState: state === 'PAUSED' ? 'PAUSED' : 'RUNNING',
  };
}
