/**
 * A node's parameters: default < file < environment < command line. Strict, and every error at once; each error
 * is one line that begins with a stable code.
 */
import { closest, distance } from 'fastest-levenshtein';
import { checkParameters } from './parameters-check.js';
import { parseCommandLine, USAGE, type Setting } from './parameters-cli.js';
import {
  environmentName,
  hasTypeOf,
  propertyOf,
  type ParameterDefinition,
  type ParameterValue,
} from './parameters-definition.js';
import { PARAMETERS, type Parameters, type TableParameters } from './parameters-table.js';
import { isProviderKey, isProviderParam, providerSettings } from './provider-settings.js';
import { defaultValue, parseValue } from './parameters-value.js';
import { parseProperties } from './properties-file.js';

export type { Parameters } from './parameters-table.js';

export interface LoadInput {
  /** Without the program and the script: `process.argv.slice(2)`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Throws when the file cannot be read. */
  readonly readFile: (path: string) => string;
  /** Where relative paths start. */
  readonly cwd: string;
}

/** A parameter that has not its default, as it may be shown. */
export interface GivenParameter {
  readonly key: string;
  /** `[hidden]` for secrets. */
  readonly text: string;
  readonly source: string;
}

export type LoadResult =
  | {
      readonly ok: true;
      readonly action: 'run';
      readonly parameters: Parameters;
      readonly configFile: string | null;
      readonly given: readonly GivenParameter[];
    }
  /** Print the text and exit with 0. */
  | { readonly ok: true; readonly action: 'help'; readonly text: string }
  | { readonly ok: true; readonly action: 'version' }
  | { readonly ok: false; readonly errors: readonly string[] };

export function loadParameters(input: LoadInput): LoadResult {
  const commandLine = parseCommandLine(input.argv);
  if (commandLine.action === 'help') return { ok: true, action: 'help', text: USAGE };
  if (commandLine.action === 'version') return { ok: true, action: 'version' };

  const errors: string[] = [...commandLine.errors];
  const settings: readonly Setting[] = [
    ...fileSettings(commandLine.configFile, input.readFile, errors),
    ...environmentSettings(input.env, errors),
    ...commandLine.settings,
  ];
  const chosen = chooseSettings(settings, errors);
  const values = parseAll(chosen, input.cwd, errors);
  // A cross-check against a default that stands in for a bad value would be a second error about the same mistake.
  errors.push(...checkParameters(values.parameters, values.bad));
  if (errors.length > 0) return { ok: false, errors };
  return {
    ok: true,
    action: 'run',
    parameters: values.parameters,
    configFile: commandLine.configFile,
    given: [...chosen].map(([key, setting]) => ({
      key,
      text: shown(key, setting.text),
      source: setting.source,
    })),
  };
}

function fileSettings(path: string | null, readFile: LoadInput['readFile'], errors: string[]): Setting[] {
  if (path === null) return [];
  let content: string;
  try {
    content = readFile(path);
  } catch (error) {
    errors.push(`CONFIG_FILE_UNREADABLE: ${path}: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
  const { entries, problems } = parseProperties(content);
  errors.push(...problems.map(({ line, message }) => `BAD_CONFIG_FILE: ${path}:${line}: ${message}`));
  return entries.map(({ key, value, line }) => ({ key, text: value, source: `${path}:${line}` }));
}

/** What Kubernetes sets in every container for a service named "troupe…": not meant for us. */
const SERVICE_LINK = /_SERVICE_(HOST|PORT)(_|$)|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$/;

const KEY_OF_ENVIRONMENT = new Map([...PARAMETERS.keys()].map((key) => [environmentName(key), key]));

function environmentSettings(env: LoadInput['env'], errors: string[]): Setting[] {
  const settings: Setting[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('TROUPE_') || text === undefined) continue;
    const key = KEY_OF_ENVIRONMENT.get(name);
    if (key !== undefined) settings.push({ key, text, source: name });
    else if (!SERVICE_LINK.test(name)) {
      errors.push(
        `UNKNOWN_PARAMETER: environment variable ${name}${nearest(name, [...KEY_OF_ENVIRONMENT.keys()])}`,
      );
    }
  }
  return settings;
}

const KEY_OF_ALIAS = new Map(
  [...PARAMETERS].flatMap(([key, { alias }]) => (alias === undefined ? [] : [[alias, key] as const])),
);

/** Keys of RocketMQ Connect's connect.conf that mean nothing here: said plainly, since its files get copied. */
const UPSTREAM_ONLY = new Set([
  'adminExtGroup',
  'allocTaskStrategy',
  'autoCreateGroupEnable',
  'brokerSuspendMaxTimeMillis',
  'clusterManagementService',
  'clusterName',
  'configManagementService',
  'connectHome',
  'connectStatusTopic',
  'metricsConfigPath',
  'offsetCommitTimeoutMsConfig',
  'openLogMetricReporter',
  'operationTimeout',
  'positionManagementService',
  'rmqConsumerGroup',
  'rmqMaxConsumeThreadNums',
  'rmqMaxRedeliveryTimes',
  'rmqMessageConsumeTimeout',
  'rmqMinConsumeThreadNums',
  'rmqProducerGroup',
  'stateManagementService',
  'statePersistInterval',
]);

/** Later settings of a key win; an alias and its key are one. */
function chooseSettings(settings: readonly Setting[], errors: string[]): Map<string, Setting> {
  const chosen = new Map<string, Setting>();
  for (const setting of settings) {
    const key = KEY_OF_ALIAS.get(setting.key) ?? setting.key;
    const earlier = chosen.get(key);
    if (PARAMETERS.has(key)) {
      if (earlier !== undefined && earlier.key !== setting.key && sameFile(earlier.source, setting.source)) {
        errors.push(
          `BAD_CONFIG_FILE: ${setting.source}: ${setting.key} and ${earlier.key} are one parameter: keep one`,
        );
      }
      chosen.set(key, setting);
    } else if (isProviderKey(key)) {
      chosen.set(key, setting);
    } else if (UPSTREAM_ONLY.has(key)) {
      errors.push(
        `UNKNOWN_PARAMETER: ${key} (${setting.source}) is RocketMQ Connect's and has no meaning here: remove it`,
      );
    } else {
      errors.push(`UNKNOWN_PARAMETER: ${key} (${setting.source})${nearest(key, [...PARAMETERS.keys()])}`);
    }
  }
  return chosen;
}

function sameFile(a: string, b: string): boolean {
  const file = (source: string): string | undefined => /^(.*):\d+$/.exec(source)?.[1];
  return file(a) !== undefined && file(a) === file(b);
}

function nearest(word: string, known: readonly string[]): string {
  const candidate = closest(word, known);
  const near = distance(word.toLowerCase(), candidate.toLowerCase()) <= Math.max(3, word.length / 2);
  return near ? ` does not exist: did you mean ${candidate}?` : ' does not exist: see docs/configuration.md';
}

interface Values {
  readonly parameters: Parameters;
  /** Keys whose value was wrong: these have their default. */
  readonly bad: ReadonlySet<string>;
}

function parseAll(chosen: ReadonlyMap<string, Setting>, cwd: string, errors: string[]): Values {
  const bad = new Set<string>();
  const parameters: Record<string, ParameterValue> = {};
  for (const [key, definition] of PARAMETERS) {
    parameters[propertyOf(key)] = defaultValue(definition, cwd);
    const setting = chosen.get(key);
    if (setting === undefined) continue;
    const parsed = parseValue(definition, setting.text, cwd);
    if (parsed.ok) parameters[propertyOf(key)] = parsed.value;
    else {
      bad.add(key);
      errors.push(badValue(key, definition, setting, parsed.expected));
    }
  }
  if (!isComplete(parameters)) throw new Error('a parameter was parsed into a value of another type');
  const ofProviders = new Map(
    [...chosen].filter(([key]) => isProviderKey(key)).map(([key, { text }]) => [key, text]),
  );
  const settings = providerSettings(parameters.configProviders, ofProviders, errors);
  return { parameters: { ...parameters, providerSettings: settings }, bad };
}

function isComplete(values: Readonly<Record<string, ParameterValue>>): values is TableParameters {
  return [...PARAMETERS].every(([key, definition]) => hasTypeOf(definition, values[propertyOf(key)]));
}

function badValue(key: string, definition: ParameterDefinition, setting: Setting, expected: string): string {
  const value = definition.type === 'secret' ? '[hidden]' : JSON.stringify(setting.text);
  return `BAD_PARAMETER: ${key} = ${value} (${setting.source}): expected ${expected}`;
}

function shown(key: string, text: string): string {
  return PARAMETERS.get(key)?.type === 'secret' || isProviderParam(key) ? '[hidden]' : text.trim();
}
