/** Tests of a connector's transforms, written beside its configuration: records that go in, and what comes out. */
import { isDeepStrictEqual } from 'node:util';
import { asRetriable, ConnectError } from '../sdk/errors.js';
import type { RawConfig } from '../sdk/plugin.js';
import type { ConnectRecord } from '../sdk/record.js';
import { isFields, type Fields } from '../sdk/value.js';
import type { PluginCatalog } from './catalog.js';
import { checkFields, exactText, TestRecords, wrong } from './test-records.js';
import { buildTransformChain, type TransformChain } from './transform-chain.js';

export interface TransformTest {
  readonly name: string;
  readonly given: readonly unknown[];
  /** As many as `given`: a record, null where it is dropped, or `{error}`. null: nothing is expected. */
  readonly expected: readonly unknown[] | null;
}

export interface Difference {
  readonly path: string;
  readonly expected: string;
  readonly actual: string;
}

export interface TransformTestResult {
  readonly name: string;
  readonly passed: boolean;
  readonly differences: readonly Difference[];
  /** What came, as JSON text, one for each record that went in. */
  readonly out: string;
}

export interface TransformTestReport {
  readonly passed: number;
  readonly failed: number;
  readonly tests: readonly TransformTestResult[];
}

const MAX_TESTS = 1000;
const MAX_RECORDS = 10_000;
const MAX_DIFFERENCES = 20;
const MAX_SHOWN = 500;
/** Of a transform that asks to be called again. */
const MAX_TRIES = 5;

/** `[{name, in, out}]`. Throws ConfigError that names what is wrong. */
export function parseTransformTests(given: unknown): readonly TransformTest[] {
  if (!Array.isArray(given) || given.length === 0)
    throw wrong('tests', 'must be a list of tests, {"name": …, "in": …, "out": …}');
  const list: readonly unknown[] = given;
  if (list.length > MAX_TESTS) throw wrong('tests', `has more than ${MAX_TESTS} tests`);
  const tests = list.map(parseTest);
  const records = tests.reduce((sum, test) => sum + test.given.length, 0);
  if (records > MAX_RECORDS) throw wrong('tests', `has more than ${MAX_RECORDS} records`);
  return tests;
}

function parseTest(given: unknown, i: number): TransformTest {
  const at = `tests[${i}]`;
  if (!isFields(given)) throw wrong(at, 'must be an object');
  const unknown = Object.keys(given).find((key) => !['name', 'in', 'out'].includes(key));
  if (unknown !== undefined)
    throw wrong(`${at}.${unknown.slice(0, 100)}`, 'is unknown; a test has name, in and out');
  const { name = `test ${i + 1}`, in: input, out } = given;
  if (typeof name !== 'string') throw wrong(`${at}.name`, 'must be a text');
  if (input === undefined) throw wrong(`${at}.in`, 'is required: a record, or a list');
  const isList = Array.isArray(input);
  const records: readonly unknown[] = isList ? input : [input];
  if (out === undefined) return { name, given: records, expected: null };
  const expected: unknown = isList ? out : [out];
  if (!Array.isArray(expected) || expected.length !== records.length)
    throw wrong(`${at}.out`, 'must say for each record of in what comes out');
  for (const each of expected as readonly unknown[]) checkExpected(each, `${at}.out`);
  return { name, given: records, expected };
}

function checkExpected(expected: unknown, at: string): void {
  if (expected === null) return;
  if (!isFields(expected))
    throw wrong(at, 'must be a record, null for one that is dropped, or {"error": "…"}');
  if (!Object.hasOwn(expected, 'error')) checkFields(expected, at);
  else if (typeof expected['error'] !== 'string' || Object.keys(expected).length > 1)
    throw wrong(at, 'error must be a text, and stand alone');
}

/** Each test has a chain of its own. Throws ConfigError for a chain that cannot be made, and for records that are none. */
export async function runTransformTests(
  config: RawConfig,
  tests: readonly TransformTest[],
  catalog: PluginCatalog,
): Promise<TransformTestReport> {
  const records = await TestRecords.create(catalog);
  const results: TransformTestResult[] = [];
  for (const [i, test] of tests.entries()) {
    const inputs = test.given.map((given, n) => records.read(given, `tests[${i}].in[${n}]`));
    const chain = await buildTransformChain(config, catalog);
    try {
      const out: unknown[] = [];
      for (const input of inputs) out.push(await outcome(chain, input, records));
      results.push(resultOf(test, out));
    } finally {
      await chain.close();
    }
  }
  const passed = results.filter((result) => result.passed).length;
  return { passed, failed: results.length - passed, tests: results };
}

/** A record, null, or what it failed with. */
async function outcome(chain: TransformChain, input: ConnectRecord, records: TestRecords): Promise<unknown> {
  for (let tries = 1; ; tries += 1) {
    try {
      const out = chain.apply(input);
      return out === null ? null : records.shown(out);
    } catch (error) {
      const ready = asRetriable(error)?.ready ?? null;
      if (ready !== null && tries < MAX_TRIES) {
        await ready.catch(() => undefined);
        continue;
      }
      const code = error instanceof ConnectError ? `${error.code}: ` : '';
      return { error: `${code}${error instanceof Error ? error.message : String(error)}` };
    }
  }
}

function resultOf({ name, expected }: TransformTest, out: readonly unknown[]): TransformTestResult {
  const differences: Difference[] = [];
  for (const [i, actual] of out.entries()) {
    const path = out.length === 1 ? 'out' : `out[${i}]`;
    if (expected === null)
      differences.push({ path, expected: 'nothing is said of it', actual: shortText(actual) });
    else compare(expected[i], actual, path, differences);
  }
  return {
    name: name.slice(0, 200),
    passed: differences.length === 0,
    differences: differences.slice(0, MAX_DIFFERENCES),
    out: exactText(out.length === 1 ? out[0] : out),
  };
}

/** What is not said of a record is not compared. */
function compare(expected: unknown, actual: unknown, path: string, differences: Difference[]): void {
  if (isFields(expected) && typeof expected['error'] === 'string' && Object.keys(expected).length === 1) {
    const failure = isFields(actual) ? actual['error'] : undefined;
    if (typeof failure === 'string' && failure.includes(expected['error'])) return;
  } else if (isFields(expected) && isFields(actual) && !Object.hasOwn(actual, 'error')) {
    for (const [field, wanted] of Object.entries(expected))
      compareDeep(wanted, actual[field], `${path}.${field}`, differences);
    return;
  } else if (isDeepStrictEqual(expected, actual)) return;
  differences.push({ path, expected: shortText(expected), actual: shortText(actual) });
}

function compareDeep(expected: unknown, actual: unknown, path: string, differences: Difference[]): void {
  if (isDeepStrictEqual(expected, actual) || differences.length > MAX_DIFFERENCES) return;
  if (isFields(expected) && isFields(actual)) {
    for (const name of new Set([...Object.keys(expected), ...Object.keys(actual)]))
      compareDeep(field(expected, name), field(actual, name), `${path}.${name}`, differences);
  } else differences.push({ path, expected: shortText(expected), actual: shortText(actual) });
}

function field(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function shortText(value: unknown): string {
  const text = value === undefined ? 'nothing' : exactText(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
