/** What the acceptance suite asks of the configuration of any connector. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../config-parse.js';
import { isGivenFor, isSecretKey, isVisible, type ConfigDefinition } from '../config.js';
import { ConfigError } from '../errors.js';
import type { RawConfig, SinkConnector, SourceConnector } from '../plugin.js';
import { ANY_FILE } from './any-file.js';
import { RecordingLogger } from './recording-logger.js';
import { checkJson, planTasks } from './running-tasks.js';
import { MIN_PASSWORD_CHARS, SecretWatch } from './secret-watch.js';
import { UNKNOWN_SIGNAL, unknownSignal } from './with-harness.js';

export type Guarantee = 'at-least-once' | 'exactly-once';

export interface WrongConfig {
  /** Set over the fixture's configuration; null removes a key. */
  readonly change: Readonly<Record<string, string | null>>;
  /** The key the error must name. */
  readonly field: string;
}

export interface ConfigSubject {
  readonly connector: SourceConnector | SinkConnector;
  /** Calls `body` with a configuration that works, and cleans up after it. */
  readonly withConfig: (body: (config: RawConfig) => Promise<void>) => Promise<void>;
  readonly wrongConfigs: readonly WrongConfig[];
}

const SECRET = 'acceptance-secret-7d1f';
const CONTEXT = {
  connectorName: 'under-test',
  log: new RecordingLogger(),
  files: ANY_FILE,
  positions: async () => [],
};
const DRY_RUN_MS = 10_000;

export function acceptConfig(subject: ConfigSubject): void {
  const { connector, withConfig } = subject;
  const { config: definition } = connector;

  test('every key is documented, named once, and its default is valid', () => {
    checkDefinition(definition);
  });

  test('the configuration of the fixture has no issues', () =>
    withConfig(async (raw) => {
      const { config, issues } = parseConfig(definition, raw);
      assert.deepEqual(issues, []);
      assert.deepEqual((await connector.validate?.(config, raw, { files: ANY_FILE })) ?? [], []);
    }));

  test('a dry run with the configuration of the fixture passes, where the connector has one', () =>
    withConfig(async (raw) => {
      const { config } = parseConfig(definition, raw);
      const context = { ...CONTEXT, signal: AbortSignal.timeout(DRY_RUN_MS) };
      assert.deepEqual((await connector.connect?.(context, config, raw)) ?? [], []);
    }));

  test('a required key that is missing is named', () =>
    withConfig(async (raw) => {
      for (const key of definition.filter(({ defaultValue }) => defaultValue === undefined)) {
        const without = Object.fromEntries(Object.entries(raw).filter(([name]) => !isGivenFor(key, name)));
        const { config, issues } = parseConfig(definition, without);
        const fields = issues.map(({ field }) => field);
        assert.ok(
          !isVisible(key, config) || fields.includes(key.name),
          `without ${key.name} the issues name ${fields.join(', ') || 'nothing'}`,
        );
      }
    }));

  test('task configurations are at most as many as allowed, the same each time, and valid', () =>
    withConfig(async (raw) => {
      for (const maxTasks of [1, 2, 5]) {
        const first = await plan(connector, raw, maxTasks);
        assert.ok(
          first.length >= 1 && first.length <= maxTasks,
          `${first.length} tasks for tasks.max=${maxTasks}`,
        );
        assert.deepEqual(await plan(connector, raw, maxTasks), first);
        for (const config of first) assert.deepEqual(parseConfig(definition, config).issues, []);
      }
    }));

  test('the planning side answers a signal of an unknown type, where it takes signals', () =>
    withConfig(async (raw) => {
      const { config } = parseConfig(definition, raw);
      const context = { ...CONTEXT, signal: AbortSignal.timeout(DRY_RUN_MS) };
      const signal = { id: 'acceptance', type: UNKNOWN_SIGNAL, data: null };
      await unknownSignal(async () => {
        const said = await connector.signal?.(context, config, raw, signal);
        checkJson('the answer of signal()', said?.answer ?? null);
      });
    }));

  for (const wrong of subject.wrongConfigs) {
    test(`${JSON.stringify(wrong.change)} is refused, naming ${wrong.field}`, () =>
      withConfig(async (raw) => {
        const fields = await refusals(connector, changed(raw, wrong.change));
        assert.ok(fields.includes(wrong.field), `the errors name ${fields.join(', ') || 'nothing'}`);
      }));
  }

  const secrets = definition
    .filter(isSecretKey)
    .map(({ name, type }) => (type === 'MAP' ? `${name}.x` : name));
  if (secrets.length > 0) {
    test('secrets do not stand in issues', () =>
      withConfig(async (raw) => {
        const given = changed(raw, Object.fromEntries(secrets.map((name) => [name, SECRET])));
        const { config, issues } = parseConfig(definition, given);
        const more =
          issues.length > 0 ? [] : ((await connector.validate?.(config, given, { files: ANY_FILE })) ?? []);
        const watch = new SecretWatch(definition, given);
        watch.see('issues', [...issues, ...more, config]);
        watch.check();
      }));

    test('the passwords of the fixture are long enough to be looked for in errors', () =>
      withConfig(async (raw) => {
        for (const [name, { length }] of Object.entries(raw)) {
          if (!definition.some((key) => isSecretKey(key) && isGivenFor(key, name))) continue;
          assert.ok(length === 0 || length >= MIN_PASSWORD_CHARS, `${name} has only ${length} characters`);
        }
      }));
  }
}

function checkDefinition(definition: ConfigDefinition): void {
  const seen = new Set<string>();
  for (const key of definition) {
    for (const name of [key.name, ...(key.aliases ?? [])]) {
      assert.ok(!seen.has(name), `two keys are named ${name}`);
      seen.add(name);
    }
    assert.ok(key.documentation.trim().length >= 10, `${key.name} is not documented`);
    if (key.defaultValue === undefined || key.defaultValue === null) continue;
    const { issues } = parseConfig([key], { [key.name]: key.defaultValue });
    assert.deepEqual(issues, [], `the default of ${key.name} is not valid`);
    assert.ok(!isSecretKey(key) || key.defaultValue === '', `${key.name} has a default password`);
  }
  for (const { name, dependents } of definition) {
    for (const other of dependents ?? [])
      assert.ok(seen.has(other), `${name} has the unknown dependent ${other}`);
  }
}

function plan(
  connector: SourceConnector | SinkConnector,
  raw: RawConfig,
  maxTasks: number,
): Promise<readonly RawConfig[]> {
  return planTasks(connector, raw, maxTasks, { connectorName: 'under-test', log: new RecordingLogger() });
}

/** The fields named, wherever the configuration is refused: by its definition, by validate, by taskConfigs. */
async function refusals(connector: SourceConnector | SinkConnector, raw: RawConfig): Promise<string[]> {
  const { config, issues } = parseConfig(connector.config, raw);
  const all = [...issues];
  const secrets = new SecretWatch(connector.config, raw);
  if (all.length === 0) all.push(...((await connector.validate?.(config, raw, { files: ANY_FILE })) ?? []));
  const fields = all.map(({ field }) => field);
  secrets.see('issues', all);
  secrets.check();
  if (fields.length > 0) return fields;
  try {
    await plan(connector, raw, 1);
  } catch (error) {
    secrets.see('an error of taskConfigs()', error);
    secrets.check();
    assert.ok(error instanceof ConfigError, `taskConfigs threw ${String(error)} instead of a ConfigError`);
    return [error.field ?? ''];
  }
  return [];
}

function changed(raw: RawConfig, change: Readonly<Record<string, string | null>>): RawConfig {
  const result = new Map(Object.entries(raw));
  for (const [key, value] of Object.entries(change)) {
    if (value === null) result.delete(key);
    else result.set(key, value);
  }
  return Object.fromEntries(result);
}
