/** A connector's transforms and predicates: `transforms=a,b`, `transforms.a.type`, `predicates.p.type` and so on. */
import type { ConfigDefinition, ConfigIssue, ConfigKey } from '../sdk/config.js';
import { asRetriable, DataError } from '../sdk/errors.js';
import type { PredicateInstance, RawConfig, TransformInstance } from '../sdk/plugin.js';
import { withTopic, type ConnectRecord } from '../sdk/record.js';
import { configError, configurePlugin, own, type Configured } from './config-plugins.js';
import type { PluginCatalog } from './catalog.js';
import { closePlugins } from './close-plugins.js';
import { failedAt } from './failed-stage.js';
import { checkTested, checkTransformed } from './plugin-returns.js';

/** Default for the end of all plugins of a chain. */
const CLOSE_MS = 2000;

export interface TransformChain {
  /** Number of transforms. Without any, `apply` gives back what it gets. */
  readonly size: number;
  /** The record to go on with, or null to drop it. Throws RetriableError or DataError. */
  apply<R extends ConnectRecord>(record: R): R | null;
  /** Of all of them, also where the end of one fails, which is told: nothing depends on it any more. Resolves after `withinMs` at most. */
  close(onError?: (cause: string) => void, withinMs?: number): Promise<void>;
}

interface Step {
  readonly alias: string;
  readonly transform: TransformInstance;
  readonly predicate: PredicateInstance | null;
  readonly negate: boolean;
}

/** Builds every transform, or throws one ConfigError that names all keys with issues: none is ever skipped. */
export async function buildTransformChain(raw: RawConfig, catalog: PluginCatalog): Promise<TransformChain> {
  const { made, issues } = await configureTransforms(raw, catalog);
  if (made === null) throw configError(issues);
  return made;
}

/** What is wrong is told as issues. Runs the plugins' `create`. */
export async function configureTransforms(
  raw: RawConfig,
  catalog: PluginCatalog,
): Promise<Configured<TransformChain>> {
  const issues: ConfigIssue[] = [];
  const definition: ConfigKey[] = [];
  const predicates = new Map<string, PredicateInstance | null>();
  for (const alias of aliasesOf(raw, 'predicates', issues)) {
    predicates.set(alias, collect(await configurePredicate(raw, catalog, alias), issues, definition));
  }
  const steps: (Step | null)[] = [];
  for (const alias of aliasesOf(raw, 'transforms', issues)) {
    const transform = collect(await configureTransform(raw, catalog, alias), issues, definition);
    const condition = conditionOf(raw, alias, predicates, issues);
    steps.push(transform === null ? null : { alias, transform, ...condition });
  }
  const chain = new Chain(
    steps.filter((step) => step !== null),
    [...predicates.values()].filter((predicate) => predicate !== null),
    (own(raw, 'topic') ?? own(raw, 'connect.topicname'))?.trim() ?? null,
  );
  if (issues.length === 0) return { made: chain, issues, definition };
  // What it throws says nothing of the configuration, which is what is being checked.
  await chain.close();
  return { made: null, issues, definition };
}

class Chain implements TransformChain {
  readonly #steps: readonly Step[];
  readonly #predicates: readonly PredicateInstance[];
  /** Where a source's records go that name no topic: transforms are to see it. */
  readonly #topic: string | null;

  constructor(steps: readonly Step[], predicates: readonly PredicateInstance[], topic: string | null) {
    this.#steps = steps;
    this.#predicates = predicates;
    this.#topic = topic;
  }

  get size(): number {
    return this.#steps.length;
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    if (this.#steps.length === 0) return record;
    let current = record.topic === null && this.#topic !== null ? withTopic(record, this.#topic) : record;
    let alias = '';
    try {
      for (const step of this.#steps) {
        alias = step.alias;
        if (step.predicate !== null && checkTested(step.predicate.test(current)) === step.negate) continue;
        const next = step.transform.apply(current);
        if (next === null) return null;
        checkTransformed(next);
        current = next;
      }
    } catch (error) {
      throw failure(error, alias);
    }
    return current;
  }

  close(onError: (cause: string) => void = () => undefined, withinMs = CLOSE_MS): Promise<void> {
    const all = [...this.#steps.map(({ transform }) => transform), ...this.#predicates];
    return closePlugins(all, withinMs, onError);
  }
}

/** Whatever a transform throws concerns the record it was given, unless it asks to be called again. */
function failure(error: unknown, alias: string): Error {
  const stage = { stage: 'TRANSFORMATION', alias } as const;
  const retriable = asRetriable(error);
  if (retriable !== null) return failedAt(retriable, stage);
  const message = `transform ${alias}: ${error instanceof Error ? error.message : String(error)}`;
  const code = error instanceof DataError ? error.code : 'TRANSFORM_FAILED';
  return failedAt(new DataError(message, { code, cause: error }), stage);
}

function collect<T>(configured: Configured<T>, issues: ConfigIssue[], definition: ConfigKey[]): T | null {
  issues.push(...configured.issues);
  definition.push(...configured.definition);
  return configured.made;
}

function aliasesOf(
  raw: RawConfig,
  key: 'transforms' | 'predicates',
  issues: ConfigIssue[],
): readonly string[] {
  const value = own(raw, key) ?? '';
  const aliases = value
    .split(',')
    .map((alias) => alias.trim())
    .filter((alias) => alias !== '');
  const twice = aliases.find((alias, i) => aliases.indexOf(alias) !== i);
  if (twice !== undefined) issues.push({ field: key, value, reason: `the alias "${twice}" stands twice` });
  return [...new Set(aliases)];
}

function configureTransform(
  raw: RawConfig,
  catalog: PluginCatalog,
  alias: string,
): Promise<Configured<TransformInstance>> {
  const prefix = `transforms.${alias}.`;
  const group = `Transforms: ${alias}`;
  const configured = configurePlugin<'transformation', TransformInstance>({
    ...classOf(raw, prefix),
    raw,
    catalog,
    type: 'transformation',
    prefix,
    reserved: ['type', 'class', 'predicate', 'negate', 'plugin.version'],
    group,
    make: (plugin, config) => plugin.create(config),
  });
  return withKeys(transformKeys(prefix, group), configured);
}

function configurePredicate(
  raw: RawConfig,
  catalog: PluginCatalog,
  alias: string,
): Promise<Configured<PredicateInstance>> {
  const prefix = `predicates.${alias}.`;
  const group = `Predicates: ${alias}`;
  const configured = configurePlugin<'predicate', PredicateInstance>({
    ...classOf(raw, prefix),
    raw,
    catalog,
    type: 'predicate',
    prefix,
    reserved: ['type', 'class', 'plugin.version'],
    group,
    make: (plugin, config) => plugin.create(config),
  });
  return withKeys(typeKeys(prefix, 'predicate', group), configured);
}

async function withKeys<T>(
  keys: ConfigDefinition,
  configured: Promise<Configured<T>>,
): Promise<Configured<T>> {
  const result = await configured;
  return { ...result, definition: [...keys, ...result.definition] };
}

/** `class` is RocketMQ Connect's name for it. */
function classOf(
  raw: RawConfig,
  prefix: string,
): { classKey: string; className: string | null; versionKey: string } {
  const type = own(raw, `${prefix}type`);
  const className = (type ?? own(raw, `${prefix}class`))?.trim() ?? null;
  return { classKey: `${prefix}type`, className, versionKey: `${prefix}plugin.version` };
}

function conditionOf(
  raw: RawConfig,
  alias: string,
  predicates: ReadonlyMap<string, PredicateInstance | null>,
  issues: ConfigIssue[],
): { readonly predicate: PredicateInstance | null; readonly negate: boolean } {
  const field = `transforms.${alias}.predicate`;
  const negateField = `transforms.${alias}.negate`;
  const name = own(raw, field)?.trim() ?? '';
  const negate = own(raw, negateField);
  if (negate !== null && !/^\s*(true|false)\s*$/i.test(negate)) {
    issues.push({ field: negateField, value: negate, reason: 'must be true or false' });
  }
  if (name === '') {
    if (negate !== null)
      issues.push({
        field: negateField,
        value: negate,
        reason: `needs ${field}: there is nothing to negate`,
      });
    return { predicate: null, negate: false };
  }
  const predicate = predicates.get(name);
  if (predicate === undefined) {
    const known = predicates.size === 0 ? 'there are none' : `there is ${[...predicates.keys()].join(', ')}`;
    issues.push({
      field,
      value: name,
      reason: `must be one of the aliases in "predicates", of which ${known}`,
    });
  }
  return { predicate: predicate ?? null, negate: negate?.trim().toLowerCase() === 'true' };
}

/** Those that any transform and predicate has that the configuration names. */
export function chainKeys(raw: RawConfig): readonly ConfigKey[] {
  return [
    ...aliasesOf(raw, 'transforms', []).flatMap((alias) => transformKeys(`transforms.${alias}.`, '')),
    ...aliasesOf(raw, 'predicates', []).flatMap((alias) => typeKeys(`predicates.${alias}.`, 'predicate', '')),
  ];
}

function typeKeys(prefix: string, what: 'transform' | 'predicate', group: string): readonly ConfigKey[] {
  return [
    {
      name: `${prefix}type`,
      aliases: [`${prefix}class`],
      type: 'CLASS',
      importance: 'HIGH',
      documentation: `Class of the ${what}.`,
      group,
      displayName: what === 'transform' ? 'Transform type' : 'Predicate type',
    },
    {
      name: `${prefix}plugin.version`,
      type: 'STRING',
      defaultValue: null,
      importance: 'LOW',
      documentation: `Version of the ${what}; the newest when not given.`,
      group,
      displayName: 'Version',
    },
  ];
}

function transformKeys(prefix: string, group: string): readonly ConfigKey[] {
  return [
    ...typeKeys(prefix, 'transform', group),
    {
      name: `${prefix}predicate`,
      type: 'STRING',
      defaultValue: '',
      importance: 'MEDIUM',
      documentation: 'Alias of the predicate that decides which records are transformed. Not given: all.',
      group,
      displayName: 'Predicate',
    },
    {
      name: `${prefix}negate`,
      type: 'BOOLEAN',
      defaultValue: 'false',
      importance: 'MEDIUM',
      documentation: 'Transform the records for which the predicate is not true.',
      group,
      displayName: 'Negate',
    },
  ];
}
