/** What a thread of the planning pool runs: plugin code that owns no data. */
import { format } from 'node:util';
import { threadId } from 'node:worker_threads';
import { pluginKeyInfos } from '../../plugins/config-infos.js';
import { connectIssues, validateConnector } from '../../plugins/validate-connector.js';
import { knownKeys } from '../../plugins/known-keys.js';
import { unknownKeys, warningText } from '../../plugins/unknown-keys.js';
import { findPlugin, PLUGIN_TYPES } from '../../plugins/catalog.js';
import { checkPlan } from '../../plugins/plugin-returns.js';
import { loadPlugin } from '../../plugins/load.js';
import {
  parseTransformTests,
  runTransformTests,
  type TransformTestReport,
} from '../../plugins/transform-tests.js';
import { issueMessage, parseConfigOrThrow } from '../../sdk/config-parse.js';
import { isFields, parseJson } from '../../sdk/index.js';
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
import { isHotKey } from '../../core/connectors/hot-keys.js';
import { withReferences } from '../../core/connectors/secret-references.js';
import { withoutSecrets } from '../../plugins/shown-infos.js';
import { BEAT_MS, startPulse } from '../kernel/pulse.js';
import { hideSecrets, hideSecretsIn } from '../kernel/known-secrets.js';
import { fromWireError, toWireError } from '../kernel/wire-error.js';
import { checkResolved } from '../secret-providers.js';
import { catalog, connectorContext, connectorOf, files, resolve } from './planning-connector.js';
import { preview, records } from './planning-looks.js';
import { nodeOptions, unknownKeysMode } from './planning-settings.js';
import type { DuePlanningJob, Plan, PlanningAnswer as JobAnswer, PlanningJob } from './planning-pool.js';

// What is thrown here leaves the thread in place of the error that no job caught, and that may quote a secret.
process.on('uncaughtException', (error) => {
  throw fromWireError(toWireError(error));
});

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
      return preview(
        job,
        dueAt,
        async () => (await plan({ kind: 'plan', name: job.name, config: job.config }, dueAt)).configs,
      );
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
