/** Connectors of other runtimes: what becomes of each of their keys, and, where it is asked for, the connectors. */
import { nameProblem } from '../core/connectors/connector-name.js';
import type { ForeignConnector } from '../core/connectors/foreign-connectors.js';
import {
  adviceFor,
  classOf,
  isCounterpart,
  translateConfig,
  type KeyChange,
  type Translated,
} from '../core/connectors/translate-config.js';
import type { TargetState } from '../core/model.js';
import { writeConfig } from './connector-writes.js';
import type { RouteContext, RouteDeps } from './context.js';
import type { FieldError } from './errors.js';
import { blamingPlugin, toHttpError } from './failures.js';
import { endOffsets } from './import-offsets.js';
import { setInitialOffsets } from './routes/initial-offsets.js';
import type { ConfigInfos, PluginListing } from '../actors/config-sync/protocol.js';
import { HIDDEN } from './secrets.js';
import { connectorTypes, fieldErrors } from './shapes.js';

export type Verdict = KeyChange['verdict'] | 'used' | 'invalid';

export interface ImportedKey {
  readonly key: string;
  readonly verdict: Verdict;
  readonly to?: string;
  readonly reason?: string;
}

export interface Imported {
  readonly origin: string;
  readonly name: string;
  /** As it was given; the one that runs it here is `plugin`, null: none. */
  readonly class: string;
  readonly plugin: string | null;
  readonly type: string;
  /** VALID: it would be created. EXISTS: there is one of that name, which is left as it is. */
  readonly state: 'CREATED' | 'VALID' | 'EXISTS' | 'REFUSED' | 'NOT_REACHED';
  readonly keys: readonly ImportedKey[];
  readonly errors: readonly FieldError[];
  readonly notes: readonly string[];
}

export interface ImportOptions {
  readonly create: boolean;
  /** Of those that are created; null: as they say, else RUNNING. */
  readonly state: TargetState | null;
}

export async function importConnector(
  ctx: RouteContext,
  deps: RouteDeps,
  foreign: ForeignConnector,
  options: ImportOptions,
): Promise<Imported> {
  const { call } = ctx.state;
  const plugins = await deps.runtime.plugins(call);
  const isInstalled = (name: string): boolean => pluginOf(plugins, name) !== null;
  const translated = translateConfig(foreign.config, isInstalled);
  const config = { ...translated.config, name: foreign.name };
  const type = connectorTypes(plugins)(config);
  const infos = await checked(deps, ctx, config);
  const keys = keysOf(foreign, translated, infos, isInstalled);
  const errors = [...ownErrors(foreign), ...infos.errors];
  const report = {
    origin: foreign.origin,
    name: foreign.name,
    class: classOf(foreign.config),
    plugin: pluginOf(plugins, classOf(config)),
    type,
    keys,
    errors,
    notes: translated.notes,
  };
  const refused =
    errors.length > 0 || keys.some(({ verdict }) => verdict === 'unsupported' || verdict === 'invalid');
  if (refused) return { ...report, state: 'REFUSED' };
  if ((await deps.runtime.connector(call, foreign.name)) !== null) return { ...report, state: 'EXISTS' };
  if (!options.create) return { ...report, state: 'VALID' };
  const initialState = options.state ?? foreign.state ?? undefined;
  const write = { name: foreign.name, config, mode: 'create' as const, initialState };
  try {
    const offsets =
      translated.fromEnd && infos.infos !== null ? await endOffsets(deps, call, infos.infos) : [];
    if (offsets.length === 0) await writeConfig(deps, call, write);
    else await setInitialOffsets(ctx, deps, write, offsets);
    return { ...report, state: 'CREATED' };
  } catch (error) {
    const { code, message, fields } = toHttpError(error, call);
    if (code === 'CONNECTOR_EXISTS') return { ...report, state: 'EXISTS' };
    const found =
      fields.length > 0 ? fields : [{ field: 'name', value: null, reason: `${code}: ${message}` }];
    return { ...report, state: 'REFUSED', errors: found };
  }
}

/** The time of the request was over before it was looked at. */
export function notReached(foreign: ForeignConnector): Imported {
  return {
    origin: foreign.origin,
    name: foreign.name,
    class: classOf(foreign.config),
    plugin: null,
    type: 'unknown',
    state: 'NOT_REACHED',
    keys: [],
    errors: [],
    notes: ['there was no time left for it in this request: send it again'],
  };
}

interface Checked {
  /** null: it could not be checked. */
  readonly infos: ConfigInfos | null;
  readonly errors: readonly FieldError[];
}

async function checked(
  deps: RouteDeps,
  ctx: RouteContext,
  config: Readonly<Record<string, string>>,
): Promise<Checked> {
  try {
    const infos = await blamingPlugin(deps.runtime.validate(ctx.state.call, config));
    return { infos, errors: fieldErrors(infos) };
  } catch (error) {
    const { code, message } = toHttpError(error, ctx.state.call);
    // Anything else is not the connector's fault.
    if (!/^PL(?:ANNING|UGIN)_/.test(code)) throw error;
    return {
      infos: null,
      errors: [{ field: 'connector.class', value: null, reason: `${code}: ${message}` }],
    };
  }
}

function ownErrors({ name, config, invalid }: ForeignConnector): readonly FieldError[] {
  const problem = nameProblem(name);
  return [
    ...(problem === null
      ? []
      : [{ field: 'name', value: null, reason: name === '' ? 'is missing' : problem }]),
    ...invalid.map(({ key, reason }) => ({ field: key, value: null, reason })),
    ...Object.entries(config)
      .filter(([, value]) => value === HIDDEN)
      .map(([field]) => ({
        field,
        value: HIDDEN,
        reason: 'was hidden where this was exported: put the value in its place, or a reference to it',
      })),
  ];
}

function keysOf(
  foreign: ForeignConnector,
  { changes }: Translated,
  { infos, errors }: Checked,
  isInstalled: (pluginClass: string) => boolean,
): readonly ImportedKey[] {
  const standsIn = isCounterpart(foreign.config, isInstalled);
  return [
    ...Object.keys(foreign.config).map((key): ImportedKey => {
      const change = changes.get(key);
      const target = change?.to?.split('=')[0] ?? key;
      const counts = infos?.given[target] ?? null;
      const error = errors.find(({ field }) => field === target || field === counts);
      if (error !== undefined && change?.verdict !== 'ignored')
        return refusedKey(key, error, foreign, isInstalled);
      if (change !== undefined) return { key, ...change };
      const warning = infos?.warnings.find(({ field }) => field === key);
      if (warning !== undefined)
        return standsIn && warning.reason.startsWith('is unknown')
          ? { key, verdict: 'unsupported', reason: 'nothing here does it: remove it where it is not needed' }
          : { key, verdict: 'ignored', reason: warning.reason };
      return counts === null || counts === key || counts === keyOfMap(key, counts)
        ? { key, verdict: 'used' }
        : { key, verdict: 'renamed', to: counts };
    }),
    ...foreign.invalid.map(({ key, reason }): ImportedKey => ({ key, verdict: 'invalid', reason })),
    ...foreign.nulls.map((key): ImportedKey => ({ key, verdict: 'ignored', reason: 'it has no value' })),
  ];
}

/** An entry of a map stands under its name. */
function keyOfMap(key: string, name: string): string | null {
  return key.startsWith(`${name}.`) ? name : null;
}

function refusedKey(
  key: string,
  { reason }: FieldError,
  { config }: ForeignConnector,
  isInstalled: (pluginClass: string) => boolean,
): ImportedKey {
  const isClass = key === 'connector.class' || key === 'connector-class';
  if (isClass && !isInstalled(classOf(config)))
    return { key, verdict: 'unsupported', reason: adviceFor(classOf(config)) };
  const isMissing = /^there is no |not supported/.test(reason);
  return { key, verdict: isMissing ? 'unsupported' : 'invalid', reason };
}

/** The class that answers to the name. */
function pluginOf({ plugins }: PluginListing, name: string): string | null {
  const found = plugins.find(
    ({ class: own, type, aliases = [] }) =>
      (type === 'source' || type === 'sink') && (own === name || aliases.includes(name)),
  );
  return found?.class ?? null;
}
