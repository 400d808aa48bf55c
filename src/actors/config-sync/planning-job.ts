/** What a thread of the planning pool runs: plugin code that owns no data. */
import { format } from 'node:util';
import { threadId, workerData } from 'node:worker_threads';
import { pluginKeyInfos } from '../../plugins/config-infos.js';
import { connectIssues, validateConnector, type ValidateOptions } from '../../plugins/validate-connector.js';
import { passwordsOf } from '../../plugins/configured-plugins.js';
import { knownKeys } from '../../plugins/known-keys.js';
import { unknownKeys, warningText } from '../../plugins/unknown-keys.js';
import { findPlugin, PLUGIN_TYPES } from '../../plugins/catalog.js';
import { fileAccess, isFileRules } from '../../plugins/file-access.js';
import { discoverPlugins } from '../../plugins/discover.js';
import { buildConverter, DEFAULT_CONVERTERS } from '../../plugins/converter-config.js';
import { buildTransformChain } from '../../plugins/transform-chain.js';
import { checkPlan } from '../../plugins/plugin-returns.js';
import { loadPlugin, loadPluginOf } from '../../plugins/load.js';
import {
  parseTransformTests,
  runTransformTests,
  type TransformTestReport,
} from '../../plugins/transform-tests.js';
import { isFields, parseJson } from '../../sdk/index.js';
import { issueMessage, parseConfigOrThrow } from '../../sdk/config-parse.js';
import { checkPlanningAnswer, checkReplanAfter } from '../../plugins/signal-answers.js';
import { ConfigError, ConnectError } from '../../sdk/errors.js';
import type {
  ConnectorContext,
  PlanningAnswer,
  PositionChange,
  RawConfig,
  Signal,
  SinkConnector,
  SourceConnector,
} from '../../sdk/plugin.js';
import type { ConfigInfos } from '../../plugins/config-infos.js';
import { isUnknownKeysMode, type UnknownKeysMode } from '../../core/parameters/unknown-keys-mode.js';
import type { FileRules } from '../../core/parameters/file-rules.js';
import { isHotKey } from '../../core/connectors/hot-keys.js';
import { withReferences, type ResolvedConfig } from '../../core/connectors/secret-references.js';
import { withoutSecrets } from '../../plugins/shown-infos.js';
import { BEAT_MS, startPulse } from '../kernel/pulse.js';
import { hideSecrets, hideSecretsIn, rememberSecrets } from '../kernel/known-secrets.js';
import { fromWireError, toWireError } from '../kernel/wire-error.js';
import { checkResolved, isSecretProviders, type SecretProviders } from '../secret-providers.js';
import type { SinkConversion } from '../sink-record.js';
import { PluginSecrets } from '../plugin-secrets.js';
import { planningLogger } from './planning-lines.js';
import { readPositions } from './planning-positions.js';
import { previewSource } from './preview-source.js';
import type { PreviewReply } from './protocol.js';
import { shownRecords } from './shown-records.js';
import type { DuePlanningJob, Plan, PlanningAnswer as JobAnswer, PlanningJob } from './planning-pool.js';

const catalog = discoverPlugins(pluginPaths());
const files = fileAccess(fileRules(), catalog);
const pluginSecrets = new PluginSecrets(secretProviders(), () => catalog, false);

// What is thrown here leaves the thread in place of the error that no job caught, and that may quote a secret.
process.on('uncaughtException', (error) => {
  throw fromWireError(toWireError(error));
});

function nodeOptions(): ValidateOptions {
  const data = poolData();
  const text = (key: string): string | undefined => {
    const value = data[key];
    return typeof value === 'string' ? value : undefined;
  };
  const keyConverter = text('keyConverter');
  const valueConverter = text('valueConverter');
  const headerConverter = text('headerConverter');
  return {
    ...(keyConverter && { keyConverter }),
    ...(valueConverter && { valueConverter }),
    ...(headerConverter && { headerConverter }),
    unknownKeys: unknownKeysMode(),
    sharing: data['sharing'] === true,
    ownTopics: texts(data['ownTopics']),
  };
}

function unknownKeysMode(): UnknownKeysMode {
  const { unknownKeys: given } = poolData();
  return isUnknownKeysMode(given) ? given : 'auto';
}

function pluginPaths(): string[] {
  return texts(poolData()['pluginPaths']);
}

/** How long a source is polled, and of what is left of the time. */
const PREVIEW_MS = 5000;
const PREVIEW_SHARE = 0.5;
/** As much as a window of a topic holds. */
const PREVIEW_CHARS = 1024 * 1024;
/** A plan may still end by itself, before its thread is ended. */
const WARNED_AT = 0.9;

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function fileRules(): FileRules {
  const { files: given } = poolData();
  return isFileRules(given) ? given : { allowed: [], closed: [] };
}

function secretProviders(): SecretProviders {
  const { secretProviders: given } = poolData();
  return isSecretProviders(given) ? given : { env: [], folders: [], scopes: [] };
}

/** piscina wraps what it was given for its threads. */
function poolData(): Readonly<Record<string, unknown>> {
  const data: unknown = Array.isArray(workerData) ? workerData[1] : workerData;
  return typeof data === 'object' && data !== null ? { ...data } : {};
}

export default async function run({ job, dueAt, memory }: DuePlanningJob): Promise<JobAnswer> {
  const { pulse, markBytes } = memory;
  // What others take while it sleeps must not be laid to it.
  const limits = { softLimitBytes: markBytes, externalLimitBytes: markBytes, beatDeadlineMs: BEAT_MS };
  const beating = startPulse(pulse, limits);
  Atomics.store(memory.thread, 0, threadId);
  try {
    return { ok: true, result: await perform(job, dueAt) };
  } catch (error) {
    const { code, message, stack } = toWireError(error);
    return { ok: false, code: code ?? 'PLANNING_FAILED', message, stack };
  } finally {
    beating[Symbol.dispose]();
  }
}

async function perform(job: PlanningJob, dueAt: number): Promise<unknown> {
  switch (job.kind) {
    case 'validate':
      return validate(job.config, job.dryRun === true, dueAt);
    case 'plan':
      return plan(job, dueAt);
    case 'signal':
      return signalled(job.name, job.config, job.signal, dueAt);
    case 'positions':
      return checkPositions(job.name, job.config, job.changes, dueAt);
    case 'records':
      return records(job);
    case 'test':
      return testTransforms(job.config, job.body);
    case 'preview':
      return preview(job, dueAt);
    case 'definition': {
      const { plugin } = await loadPlugin(findPlugin(catalog, PLUGIN_TYPES, job.class, job.version));
      return pluginKeyInfos(plugin.config);
    }
  }
}

async function validate(written: RawConfig, dryRun: boolean, dueAt: number): Promise<ConfigInfos> {
  const name = written['name'] ?? '';
  const resolved = await resolve(name, written);
  const infos = await validateConnector(resolved.config, catalog, {
    ...nodeOptions(),
    files,
    issues: resolved.problems,
    ...(dryRun && { dryRun: connectorContext(name, dueAt) }),
  });
  return withoutSecrets(infos, written, resolved.secrets, resolved.passwords);
}

async function resolve(
  name: string,
  written: RawConfig,
): Promise<ResolvedConfig & { passwords: readonly string[] }> {
  const resolved = await pluginSecrets.resolve(name, written);
  rememberSecrets(resolved.secrets.keys());
  const passwords = await passwordsOf(resolved.config, catalog, nodeOptions());
  rememberSecrets(passwords);
  return { ...resolved, passwords };
}

/** What comes of a secret is shown as one. */
async function testTransforms(written: RawConfig, body: string): Promise<TransformTestReport> {
  const parsed = parseJson(body);
  const tests = parseTransformTests(isFields(parsed) ? parsed['tests'] : undefined);
  const resolved = await resolve(written['name'] ?? '', written);
  checkResolved(resolved);
  const { tests: results, ...counts } = await runTransformTests(resolved.config, tests, catalog);
  return {
    ...counts,
    tests: results.map(({ name, passed, differences, out }) => ({
      name,
      passed,
      out: hideSecrets(out),
      differences: differences.map(({ path, expected, actual }) => ({
        path,
        expected: hideSecrets(expected),
        actual: hideSecrets(actual),
      })),
    })),
  };
}

function connectorContext(name: string, dueAt: number): ConnectorContext {
  return {
    connectorName: name,
    log: planningLogger(name),
    positions: (match) => readPositions(name, match),
    signal: AbortSignal.timeout(Math.max(0, Math.floor((dueAt - Date.now()) * WARNED_AT))),
    files,
  };
}

/** What it is of, with its configuration resolved. */
async function connectorOf(name: string, written: RawConfig) {
  const resolved = await resolve(name, written);
  checkResolved(resolved);
  const raw = resolved.config;
  const className = raw['connector.class'] ?? raw['connector-class'] ?? '';
  const entry = findPlugin(catalog, ['source', 'sink'], className, raw['connector.plugin.version'] ?? null);
  const connector =
    entry.type === 'source' ? await loadPluginOf('source', entry) : await loadPluginOf('sink', entry);
  return { resolved, raw, entry, connector };
}

async function signalled(
  name: string,
  written: RawConfig,
  signal: Signal,
  dueAt: number,
): Promise<Required<PlanningAnswer>> {
  const { raw, connector } = await connectorOf(name, written);
  if (connector.signal === undefined) {
    throw new ConnectError('this connector’s planning side takes no signals', {
      code: 'SIGNAL_NOT_SUPPORTED',
    });
  }
  const config = parseConfigOrThrow(connector.config, raw);
  const said: unknown = await connector.signal(connectorContext(name, dueAt), config, raw, signal);
  const { answer, replan } = checkPlanningAnswer(said);
  return { answer: hideSecretsIn(answer), replan };
}

/** Of what nobody's configuration says no reference to a secret is followed. */
async function records({
  name,
  config: written,
  runs,
  transform,
}: Extract<PlanningJob, { kind: 'records' }>): Promise<readonly string[]> {
  const raw = name === null ? written : checkedConfig(await resolve(name, written));
  const chain = await buildTransformChain(transform ? raw : {}, catalog);
  try {
    return await shownRecords(runs, {
      ...(await convertersOf(raw)),
      chain: chain.size === 0 ? null : chain,
    });
  } finally {
    await chain.close();
  }
}

/** Ends within the time of the job, as does whatever heeds its signal. */
async function preview(
  { name, config: written, task, withPositions, limit }: Extract<PlanningJob, { kind: 'preview' }>,
  dueAt: number,
): Promise<Omit<PreviewReply, 'type'>> {
  const planned = task ?? (await firstTask(name, written, dueAt));
  const { raw, entry, connector } = await connectorOf(name, { ...written, ...planned });
  if (connector.kind !== 'source') throw new ConnectError('it is no source', { code: 'PREVIEW_REFUSED' });
  const config = parseConfigOrThrow(connector.config, raw);
  const refusal: unknown = connector.previewRefusal?.(config, raw);
  if (typeof refusal === 'string')
    throw new ConnectError(`the connector refuses a preview: ${hideSecrets(refusal)}`, {
      code: 'PREVIEW_REFUSED',
    });
  const chain = await buildTransformChain(raw, catalog);
  try {
    return await previewSource({
      name,
      className: entry.class,
      connector,
      config,
      raw,
      positions: withPositions ? await readPositions(name, undefined) : [],
      files,
      log: planningLogger(name),
      chain,
      ...(await convertersOf(raw)),
      limit,
      until: Math.min(Date.now() + PREVIEW_MS, Date.now() + (dueAt - Date.now()) * PREVIEW_SHARE),
      maxChars: PREVIEW_CHARS,
    });
  } finally {
    await chain.close();
  }
}

/** As it would be planned. */
async function firstTask(name: string, written: RawConfig, dueAt: number): Promise<RawConfig> {
  const [first] = (await plan({ kind: 'plan', name, config: written }, dueAt)).configs;
  if (first === undefined)
    throw new ConnectError('the connector plans no task now, so there is nothing to poll', {
      code: 'PREVIEW_REFUSED',
    });
  return first;
}

async function convertersOf(raw: RawConfig): Promise<Omit<SinkConversion, 'chain'>> {
  const of = nodeOptions();
  return {
    keyConverter: await buildConverter(raw, 'key', of.keyConverter ?? DEFAULT_CONVERTERS.key, catalog),
    valueConverter: await buildConverter(
      raw,
      'value',
      of.valueConverter ?? DEFAULT_CONVERTERS.value,
      catalog,
    ),
    headerConverter: await buildConverter(
      raw,
      'header',
      of.headerConverter ?? DEFAULT_CONVERTERS.header,
      catalog,
    ),
  };
}

function checkedConfig(resolved: ResolvedConfig): RawConfig {
  checkResolved(resolved);
  return resolved.config;
}

/** Throws ConnectError POSITIONS_REFUSED, whatever the connector throws. */
async function checkPositions(
  name: string,
  written: RawConfig,
  changes: readonly PositionChange[] | null,
  dueAt: number,
): Promise<null> {
  const { raw, connector } = await connectorOf(name, written);
  if (connector.kind !== 'source' || connector.checkPositions === undefined) return null;
  const context = connectorContext(name, dueAt);
  const all = changes ?? (await context.positions()).map(({ partition }) => ({ partition, position: null }));
  try {
    await connector.checkPositions(context, parseConfigOrThrow(connector.config, raw), raw, all);
  } catch (error) {
    const { message } = toWireError(error);
    throw new ConnectError(`the connector refuses these offsets: ${message}`, {
      code: 'POSITIONS_REFUSED',
      cause: error,
    });
  }
  return null;
}

async function plan(
  { name, config: written, trial = false }: Extract<PlanningJob, { kind: 'plan' }>,
  dueAt: number,
): Promise<Plan> {
  const { resolved, raw, entry, connector } = await connectorOf(name, written);
  const maxTasks = Math.max(1, Number(raw['tasks.max'] ?? raw['max.tasks'] ?? '1'));
  const context = connectorContext(name, dueAt);
  const parsed = parseConfigOrThrow(connector.config, raw);
  if (trial) await tryToConnect(connector, raw, context);
  const planned: unknown = await connector.taskConfigs(context, parsed, raw, maxTasks);
  const configs = checkPlan(entry.class, planned, raw);
  if (configs.length > maxTasks && raw['tasks.max.enforce'] !== 'false') {
    throw new ConfigError(`the connector planned ${configs.length} tasks, but tasks.max is ${maxTasks}`, {
      code: 'TOO_MANY_TASKS',
      field: 'tasks.max',
    });
  }
  return {
    configs: configs.map((config) => withReferences(config, written, resolved)),
    replanAfterMs: checkReplanAfter(connector.replanAfterMs?.(parsed, raw)),
    warning: await warningOf(raw),
    ownHotKeys: connector.config.flatMap(({ name, aliases = [] }) => [name, ...aliases]).filter(isHotKey),
  };
}

/** While the tasks of the config before still run. Throws ConnectError CONNECT_FAILED. */
async function tryToConnect(
  connector: SourceConnector | SinkConnector,
  raw: RawConfig,
  context: ConnectorContext,
): Promise<void> {
  const issues = connector.connect === undefined ? [] : await connectIssues(connector, raw, context);
  if (issues.length === 0) return;
  const why = issues.map(issueMessage).join('; ');
  throw new ConnectError(`the connector cannot connect with its changed configuration: ${why}`, {
    code: 'CONNECT_FAILED',
  });
}

/** A configuration may have been written when more keys were known, or by a node that refuses other ones. */
async function warningOf(raw: RawConfig): Promise<string | null> {
  const known = await knownKeys(raw, catalog, nodeOptions());
  const { issues, warnings } = unknownKeys(raw, known, unknownKeysMode());
  const all = [...issues, ...warnings];
  return all.length === 0 ? null : hideSecrets(warningText(all));
}

/** What plugins print goes to the node's own output. */
const { console: output } = globalThis;
for (const method of ['debug', 'log', 'info', 'warn', 'error'] as const) {
  const print = output[method].bind(output);
  output[method] = (...args: unknown[]) => {
    print(hideSecrets(format(...args)));
  };
}
