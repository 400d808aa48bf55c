/** Expressions about a record, in the Common Expression Language: they have no loops but over what a record holds, and reach nothing else. */
import { Environment } from '@marcbachmann/cel-js';
import { ConfigError, copyFields, DataError, Decimal, isFields, NO_HEADERS, setField } from '../sdk/index.js';
import type { ConnectRecord, Fields, Header, Schema } from '../sdk/index.js';

export interface Expression {
  /** Throws DataError EXPRESSION_FAILED. */
  evaluate(record: ConnectRecord): unknown;
}

const LIMITS = {
  maxAstNodes: 2000,
  maxDepth: 50,
  maxListElements: 1000,
  maxMapEntries: 1000,
  maxCallArguments: 16,
};
const VARIABLES = ['topic', 'queue', 'key', 'value', 'headers', 'timestamp'] as const;

/** ConfigError for what is no expression, names what is not there, or gives another type than one of those. `field`: the key that has it. */
export function parseExpression(text: string, field: string, types: readonly string[]): Expression {
  const problem = (message: string): ConfigError =>
    new ConfigError(`${field} is no such expression: ${message}`, { field, code: 'BAD_EXPRESSION' });
  let parsed: ReturnType<Environment['parse']>;
  try {
    parsed = environment().parse(text);
  } catch (error) {
    throw problem(firstLine(error));
  }
  const { valid, type = 'dyn', error } = parsed.check();
  if (!valid) throw problem(firstLine(error));
  if (![...types, 'dyn'].includes(type))
    throw problem(`it gives ${type}, and is to give ${types.join(' or ')}`);
  return {
    evaluate: (record) => {
      try {
        const result: unknown = parsed(seen(record));
        return result;
      } catch (error) {
        throw new DataError(`${field}: ${firstLine(error)}`, { code: 'EXPRESSION_FAILED', cause: error });
      }
    },
  };
}

let made: Environment | null = null;

function environment(): Environment {
  made ??= makeEnvironment();
  return made;
}

function makeEnvironment(): Environment {
  const env = new Environment({ limits: LIMITS, homogeneousAggregateLiterals: false });
  for (const name of VARIABLES) env.registerVariable(name, 'dyn');
  // The numbers of a record are doubles, and those of an expression are written as whole ones.
  const rules: Readonly<Record<string, (a: number, b: number) => number>> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
    '%': (a, b) => a % b,
  };
  for (const [operator, rule] of Object.entries(rules)) {
    env.registerOperator(`double ${operator} int: double`, (a: number, b: bigint) => rule(a, Number(b)));
    env.registerOperator(`int ${operator} double: double`, (a: bigint, b: number) => rule(Number(a), b));
  }
  env.registerOperator('double % double: double', (a: number, b: number) => a % b);
  env.registerType('Decimal', Decimal);
  env.registerFunction('double(Decimal): double', (value: Decimal) => Number(value.toString()));
  env.registerFunction('string(Decimal): string', (value: Decimal) => value.toString());
  return env;
}

function seen({
  topic,
  queue,
  keySchema,
  key,
  valueSchema,
  value,
  headers,
  timestamp,
}: ConnectRecord): Fields {
  return {
    topic,
    queue,
    key: whole(keySchema, key),
    value: whole(valueSchema, value),
    headers: headers === NO_HEADERS ? NO_VALUES : valuesOf(headers),
    timestamp: timestamp === null ? null : new Date(timestamp),
  };
}

const NO_VALUES: ReadonlyMap<string, unknown> = new Map();

/** Of several headers of a name the last one. */
function valuesOf(headers: readonly Header[]): ReadonlyMap<string, unknown> {
  return new Map(headers.map(({ key, value }) => [key, value ?? null]));
}

/** A struct with all its fields: those that are missing are null, or what the schema puts in their place. */
function whole(schema: Schema | null, value: unknown): unknown {
  if (value === undefined) return null;
  if (schema?.type !== 'STRUCT' || !isFields(value)) return value;
  let copy: Record<string, unknown> | null = null;
  for (const { name, schema: field } of schema.fields ?? []) {
    const found = Object.hasOwn(value, name) ? value[name] : undefined;
    const needed = whole(field, found ?? field.defaultValue ?? null);
    if (needed === found) continue;
    copy ??= copyFields(value);
    setField(copy, name, needed);
  }
  return copy ?? value;
}

/** What follows shows where in the expression it is. */
function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
