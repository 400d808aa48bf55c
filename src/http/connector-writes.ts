/** Writing a connector's configuration: names, hidden passwords and refusals handled the same for every route. */
import type { ConnectorEntry, TargetState } from '../core/model.js';
import type { RouteDeps } from './context.js';
import { HttpError } from './errors.js';
import { blamingPlugin, rewording } from './failures.js';
import { checkName, shortened } from './names.js';
import { RuntimeFailure, type Call, type Config } from './runtime.js';
import { holdsHidden, restore, restoreChanges } from './secrets.js';
import { fieldErrors, invalidConfigMessage } from './shapes.js';

/** Tries to merge `[hidden]` values with a configuration that others keep changing. */
const MERGE_TRIES = 5;

export interface ConfigWrite {
  readonly name: string;
  readonly config: Config;
  readonly mode: 'create' | 'put';
  readonly initialState?: TargetState | undefined;
}

export interface Written {
  readonly entry: ConnectorEntry;
  readonly created: boolean;
}

export async function writeConfig(deps: RouteDeps, call: Call, write: ConfigWrite): Promise<Written> {
  checkName(write.name);
  const config = named(write.name, write.config);
  if (!holdsHidden(config)) return put(deps, call, { ...write, config });
  for (let tries = 1; ; tries += 1) {
    const stored = write.mode === 'create' ? null : await deps.runtime.connector(call, write.name);
    const restored = { ...write, config: restore(config, stored?.config) };
    try {
      return await put(deps, call, restored, stored?.version);
    } catch (error) {
      const changed = error instanceof RuntimeFailure && error.code === 'VERSION_CONFLICT';
      if (!changed || tries === MERGE_TRIES) throw error;
    }
  }
}

export async function patchConfig(
  deps: RouteDeps,
  call: Call,
  name: string,
  changes: Readonly<Record<string, string | null>>,
): Promise<ConnectorEntry> {
  const renamed = changes['name'];
  if (renamed !== undefined && renamed !== name) throw nameMismatch(renamed ?? '', name);
  const stored = await existing(deps, call, name);
  const real = restoreChanges(changes, stored.config);
  const config = patched(stored.config, real);
  await deps.secrets.refuseInherited(call, stored.config, real, config);
  const work = deps.runtime.patch(call, name, real);
  return explained(deps, call, config, rewording(work, 'CONNECTOR_NOT_FOUND', notFound(name)));
}

/** The connector, or the 404 that Kafka Connect answers. */
export async function existing(
  deps: Pick<RouteDeps, 'runtime'>,
  call: Call,
  name: string,
  message = notFound(name),
): Promise<ConnectorEntry> {
  const entry = await deps.runtime.connector(call, name);
  if (entry === null) throw new HttpError('CONNECTOR_NOT_FOUND', message);
  return entry;
}

export function notFound(name: string): string {
  return `Connector ${shortened(name)} not found`;
}

function put(deps: RouteDeps, call: Call, write: ConfigWrite, expectedVersion?: number): Promise<Written> {
  const work = deps.runtime.put(call, {
    name: write.name,
    config: write.config,
    mode: write.mode,
    ...(write.initialState === undefined ? {} : { initialState: write.initialState }),
    ...(expectedVersion === undefined ? {} : { expectedVersion }),
  });
  const exists = rewording(work, 'CONNECTOR_EXISTS', `Connector ${write.name} already exists`);
  return explained(deps, call, write.config, exists);
}

/** A refusal crosses threads as one text: what is wrong with which field is asked for again. */
async function explained<T>(deps: RouteDeps, call: Call, config: Config, work: Promise<T>): Promise<T> {
  try {
    return await blamingPlugin(work);
  } catch (error) {
    if (!(error instanceof RuntimeFailure) || error.code !== 'CONFIG_INVALID') throw error;
    const infos = await deps.runtime.validate(call, config);
    const fields = fieldErrors(infos);
    const message = fields.length === 0 ? error.message : invalidConfigMessage(infos);
    throw new HttpError('CONFIG_INVALID', message, { fields, cause: error });
  }
}

/** `name` is part of a configuration, as in Kafka Connect. */
function named(name: string, config: Config): Config {
  const included = config['name'];
  if (included !== undefined && included.trim() !== name) throw nameMismatch(included, name);
  return { ...config, name };
}

function nameMismatch(included: string, name: string): HttpError {
  return new HttpError(
    'CONFIG_NAME_MISMATCH',
    `Connector name configuration (${shortened(included)}) doesn't match connector name in the URL (${shortened(name)})`,
    {
      fields: [
        { field: 'name', value: shortened(included), reason: `must be ${shortened(name)}, or left out` },
      ],
    },
  );
}

function patched(config: Config, changes: Readonly<Record<string, string | null>>): Config {
  const merged = new Map(Object.entries(config));
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}
