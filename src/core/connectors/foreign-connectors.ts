/** Connectors as other runtimes write them down: in files, and in the answers of their REST. */
import { parseProperties } from '../parameters/properties-file.js';
import type { TargetState } from '../model.js';
import {
  isForbiddenKey,
  isJsonMap,
  JsonError,
  parseExactJson,
  type JsonMap,
  type JsonValue,
} from './exact-json.js';

export interface ForeignConnector {
  /** The file, and where in it. */
  readonly origin: string;
  /** Empty: it says none. */
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
  /** Where the answer of a REST says that it did not run. */
  readonly state: TargetState | null;
  /** Keys whose values are none. */
  readonly invalid: readonly { readonly key: string; readonly reason: string }[];
  readonly nulls: readonly string[];
}

export interface ForeignFile {
  readonly connectors: readonly ForeignConnector[];
  readonly problems: readonly { readonly origin: string; readonly reason: string }[];
}

/** More of them at once are surely no connectors; a request has its time. */
const MAX_CONNECTORS = 500;
const FORM =
  'is no connector: what is taken is {"name": …, "config": {…}}, the flat form with connector.class, lists of these, the answers of GET /connectors?expand=info and of RocketMQ Connect’s GET /connectors/list, and properties';

/** By the end of its name, else by how it begins. Throws nothing: what cannot be read is a problem. */
export function parseForeignFile(origin: string, content: string): ForeignFile {
  const text = content.replace(/^\uFEFF/, '');
  const isJson = /\.json$/i.test(origin) || (!/\.properties$/i.test(origin) && /^\s*[[{]/.test(text));
  if (!isJson) return ofProperties(origin, text);
  try {
    return parseForeignJson(origin, parseExactJson(text));
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return { connectors: [], problems: [{ origin, reason: `is not JSON: ${error.message}` }] };
  }
}

export function parseForeignJson(origin: string, value: JsonValue): ForeignFile {
  const found: Found = { connectors: [], problems: [] };
  read(value, { origin, name: '', state: null }, found);
  if (found.connectors.length <= MAX_CONNECTORS) return found;
  const reason = `holds more than ${MAX_CONNECTORS} connectors: send fewer at once`;
  return { connectors: [], problems: [{ origin, reason }] };
}

interface Found {
  readonly connectors: ForeignConnector[];
  readonly problems: { origin: string; reason: string }[];
}

interface Place {
  readonly origin: string;
  /** The key it stands under. */
  readonly name: string;
  readonly state: TargetState | null;
}

function read(value: JsonValue, at: Place, found: Found): void {
  if (isList(value)) {
    for (const [i, item] of value.entries()) read(item, { ...at, origin: `${at.origin}[${i}]` }, found);
    return;
  }
  if (!isJsonMap(value)) {
    found.problems.push({ origin: at.origin, reason: FORM });
    return;
  }
  const { config, info, properties, body, connectorConfigs } = value;
  // An answer of RocketMQ Connect stands in an envelope.
  if (isMap(body) || isList(body)) read(body, at, found);
  else if (isMap(connectorConfigs)) readNamed(connectorConfigs, at, found);
  else if (isMap(info)) read(info, { ...at, state: stateOf(value['status']) }, found);
  else if (isMap(config))
    found.connectors.push(connector(nameOf(value) || nameOf(config), config, at, value));
  else if (Object.hasOwn(value, 'connector.class') || Object.hasOwn(value, 'connector-class'))
    found.connectors.push(connector(nameOf(value), value, at));
  else if (isMap(properties)) found.connectors.push(connector('', properties, at));
  else readNamed(value, at, found);
}

function readNamed(map: JsonMap, at: Place, found: Found): void {
  const entries = Object.entries(map);
  if (entries.length === 0 || !entries.every(([, value]) => isMap(value))) {
    found.problems.push({ origin: at.origin, reason: ofWorker(Object.keys(map)) ?? FORM });
    return;
  }
  for (const [name, value] of entries) read(value, { ...at, name, origin: `${at.origin} ${name}` }, found);
}

function connector(name: string, config: JsonMap, at: Place, wrapper: JsonMap = {}): ForeignConnector {
  const entries = new Map<string, string>();
  const invalid: { key: string; reason: string }[] = [];
  const nulls: string[] = [];
  for (const [key, value] of Object.entries(config)) {
    if (isForbiddenKey(key)) invalid.push({ key, reason: 'cannot be a configuration key' });
    else if (value === null) nulls.push(key);
    // Numbers are texts already.
    else if (typeof value === 'string' || typeof value === 'boolean') entries.set(key, String(value));
    else invalid.push({ key, reason: 'must be a text, a number or a boolean' });
  }
  return {
    origin: at.origin,
    name: (name === '' ? at.name : name).trim(),
    config: Object.fromEntries(entries),
    state: at.state ?? targetState(wrapper['initial_state']),
    invalid,
    nulls,
  };
}

function ofProperties(origin: string, content: string): ForeignFile {
  const { entries, problems } = parseProperties(content);
  const wrong = problems.map(({ line, message }) => ({ origin, reason: `line ${line}: ${message}` }));
  if (wrong.length > 0) return { connectors: [], problems: wrong };
  const map = new Map(entries.map(({ key, value }) => [key, value]));
  if (!map.has('connector.class') && !map.has('connector-class'))
    return { connectors: [], problems: [{ origin, reason: ofWorker([...map.keys()]) ?? FORM }] };
  const config = Object.fromEntries(map);
  return {
    connectors: [connector(map.get('name') ?? '', config, { origin, name: '', state: null })],
    problems: [],
  };
}

function ofWorker(keys: readonly string[]): string | null {
  const worker = ['bootstrap.servers', 'group.id', 'workerId', 'namesrvAddr', 'plugin.path', 'pluginPaths'];
  return keys.some((key) => worker.includes(key))
    ? 'is the configuration of a worker, not of a connector: a node has its own parameters (docs/configuration.md)'
    : null;
}

function nameOf(map: JsonMap): string {
  const { name } = map;
  return typeof name === 'string' ? name.trim() : '';
}

function stateOf(status: JsonValue | undefined): TargetState | null {
  const unit = isMap(status) ? status['connector'] : undefined;
  return isMap(unit) ? targetState(unit['state']) : null;
}

/** What runs, or should, needs no word. */
function targetState(state: JsonValue | undefined): TargetState | null {
  const word = typeof state === 'string' ? state.toUpperCase() : '';
  return word === 'PAUSED' || word === 'STOPPED' ? word : null;
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isMap(value: JsonValue | undefined): value is JsonMap {
  return value !== undefined && isJsonMap(value);
}
