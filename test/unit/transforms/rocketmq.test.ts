/** Transforms of RocketMQ Connect. What they do otherwise there is in docs/compatibility.md. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DataError,
  decimalSchema,
  OPTIONAL_STRING_SCHEMA,
  SchemaBuilder,
  STRING_SCHEMA,
  type Schema,
} from '#troupe/sdk/index.js';
import { configureTransforms } from '#troupe/plugins/transform-chain.js';
import { catalog, fieldsOf, record, single } from './transforms.js';

const ROCKETMQ = 'org.apache.rocketmq.connect.transforms.';

async function apply(
  type: string,
  options: Record<string, string>,
  schema: Schema | null,
  value: unknown,
): Promise<{ readonly schema: Schema | null; readonly value: unknown } | null> {
  const out = (await single(ROCKETMQ + type, options)).apply(record(schema, value));
  return out === null ? null : { schema: out.valueSchema, value: out.value };
}

async function value(type: string, options: Record<string, string>, from: unknown): Promise<unknown> {
  return (await apply(type, options, null, from))?.value;
}

async function fails(
  type: string,
  options: Record<string, string>,
  schema: Schema | null,
  from: unknown,
): Promise<void> {
  await assert.rejects(apply(type, options, schema, from), DataError);
}

async function refused(type: string, options: Record<string, string>): Promise<string> {
  const raw = Object.fromEntries(Object.entries(options).map(([key, text]) => [`transforms.t.${key}`, text]));
  const { issues } = await configureTransforms(
    { transforms: 't', 'transforms.t.type': ROCKETMQ + type, ...raw },
    catalog,
  );
  return issues.map(({ field, reason }) => `${field} ${reason}`).join('\n');
}

const ADDRESS = SchemaBuilder.struct()
  .optional()
  .field('city', OPTIONAL_STRING_SCHEMA)
  .field('state', STRING_SCHEMA)
  .build();
const PERSON = SchemaBuilder.struct()
  .name('person')
  .doc('who')
  .field('name', STRING_SCHEMA)
  .field('address', ADDRESS)
  .build();

/** What Guava 31.1 makes of the names, in the order of its formats: hyphen, underscore, camel, Camel, UNDERSCORE. */
const GUAVA = `
LOWER_HYPHEN first-name: first-name first_name firstName FirstName FIRST_NAME
LOWER_HYPHEN x-Y: x-Y x_Y xY XY X_Y
LOWER_HYPHEN HTTPServer: HTTPServer HTTPServer httpserver Httpserver HTTPSERVER
LOWER_UNDERSCORE first_name: first-name first_name firstName FirstName FIRST_NAME
LOWER_UNDERSCORE FIRST_NAME: FIRST-NAME FIRST_NAME firstName FirstName FIRST_NAME
LOWER_UNDERSCORE _a: -a _a A A _A
LOWER_UNDERSCORE a__b: a--b a__b aB AB A__B
LOWER_UNDERSCORE über_Größe: über-Größe über_Größe überGröße überGröße üBER_GRößE
LOWER_CAMEL firstName: first-name first_name firstName FirstName FIRST_NAME
LOWER_CAMEL FirstName: first-name first_name FirstName FirstName FIRST_NAME
LOWER_CAMEL aB1c: a-b1c a_b1c aB1c AB1c A_B1C
LOWER_CAMEL FIRST_NAME: f-i-r-s-t_-n-a-m-e f_i_r_s_t__n_a_m_e FIRST_NAME FIRST_NAME F_I_R_S_T__N_A_M_E
UPPER_CAMEL FirstName: first-name first_name firstName FirstName FIRST_NAME
UPPER_CAMEL firstName: first-name first_name firstName firstName FIRST_NAME
UPPER_CAMEL F: f f f F F
UPPER_UNDERSCORE FIRST_NAME: first-name first_name firstName FirstName FIRST_NAME
UPPER_UNDERSCORE first_Name: first-name first_name firstName FirstName first_Name
UPPER_UNDERSCORE über_Größe: über-größe über_größe überGröße überGröße über_Größe
`;
const FORMATS = ['LOWER_HYPHEN', 'LOWER_UNDERSCORE', 'LOWER_CAMEL', 'UPPER_CAMEL', 'UPPER_UNDERSCORE'];

test('ChangeCase makes of names what Guava makes of them', async () => {
  for (const line of GUAVA.trim().split('\n')) {
    const [, from = '', name = '', ...expected] =
      /^(\S+) (\S+): (\S+) (\S+) (\S+) (\S+) (\S+)$/.exec(line) ?? [];
    assert.equal(expected.length, 5, line);
    for (const [i, to] of FORMATS.entries())
      assert.deepEqual(
        await value('ChangeCase$Value', { from, to }, { [name]: 1 }),
        { [expected[i] ?? '']: 1 },
        `${line} ${to}`,
      );
  }
});

test('ChangeCase changes a schema as well, and nothing else of it', async () => {
  const options = { from: 'LOWER_UNDERSCORE', to: 'UPPER_CAMEL' };
  const out = await apply('ChangeCase$Value', options, PERSON, { name: 'Ada', address: null });
  assert.deepEqual(out?.value, { Name: 'Ada', Address: null });
  assert.deepEqual(fieldsOf(out.schema), ['Name STRING', 'Address STRUCT?']);
  assert.deepEqual([out.schema?.name, out.schema?.doc], ['person', 'who']);
  assert.equal(await value('ChangeCase$Value', options, null), null);
  await fails('ChangeCase$Value', options, STRING_SCHEMA, 'text');
  assert.match(
    await refused('ChangeCase$Value', { from: 'lower', to: 'UPPER_CAMEL' }),
    /transforms\.t\.from must be one of: LOWER_HYPHEN/,
  );
  const twice = SchemaBuilder.struct().field('a', STRING_SCHEMA).field('A', STRING_SCHEMA).build();
  await fails('ChangeCase$Value', options, twice, { a: 'x', A: 'y' });
});

test('PatternRename replaces each match in the names of fields', async () => {
  const options = { 'field.pattern': '^(in|out)_', 'field.replacement': '' };
  const schema = SchemaBuilder.struct().field('in_a', STRING_SCHEMA).field('b_in_', STRING_SCHEMA).build();
  const out = await apply('PatternRename$Value', options, schema, { in_a: '1', b_in_: '2' });
  assert.deepEqual(
    [out?.value, fieldsOf(out?.schema ?? null)],
    [{ a: '1', b_in_: '2' }, ['a STRING', 'b_in_ STRING']],
  );
  const dots = { 'field.pattern': '.', 'field.replacement': '_', 'field.pattern.flags': 'LITERAL' };
  assert.deepEqual(await value('PatternRename$Value', dots, { 'a.b.c': 1, d: 2 }), { a_b_c: 1, d: 2 });
  const swapped = {
    'field.pattern': '(A)(?<n>B)',
    'field.replacement': '${n}$1',
    'field.pattern.flags': 'CASE_INSENSITIVE',
  };
  assert.deepEqual(await value('PatternRename$Value', swapped, { xab: 1 }), { xba: 1 });
  const empty = { 'field.pattern': 'x*', 'field.replacement': '-' };
  assert.deepEqual(await value('PatternRename$Value', empty, { ab: 1 }), { '-a-b-': 1 });
  assert.match(
    await refused('PatternRename$Value', { 'field.pattern': '(', 'field.replacement': '' }),
    /field\.pattern/,
  );
  assert.match(
    await refused('PatternRename$Value', { 'field.pattern': 'a', 'field.replacement': '$1' }),
    /transforms\.t\.field\.replacement the replacement cannot be used: it refers to \$1/,
  );
});

test('PatternFilter drops a record when the whole of a text matches', async () => {
  const options = { fields: 'input,other', pattern: 'filter(ed)?' };
  const schema = SchemaBuilder.struct().field('input', STRING_SCHEMA).build();
  assert.equal(await apply('PatternFilter$Value', options, schema, { input: 'filter' }), null);
  assert.equal(await apply('PatternFilter$Value', options, null, { other: 'filtered' }), null);
  for (const kept of [{ input: 'filters' }, { input: 5 }, { third: 'filter' }, null, 'filter'])
    assert.deepEqual(await value('PatternFilter$Value', options, kept), kept);
  const key = (await single(`${ROCKETMQ}PatternFilter$Key`, options)).apply(
    record(null, 1, { key: { input: 'filter' } }),
  );
  assert.equal(key, null);
});

test('ExtractNestedField adds a field of a struct in the struct', async () => {
  const options = { 'input.outer.field.name': 'address', 'input.inner.field.name': 'state' };
  const ada = { name: 'Ada', address: { city: 'Berlin', state: 'BE' } };
  const out = await apply('ExtractNestedField$Value', options, PERSON, ada);
  assert.deepEqual(out?.value, { ...ada, state: 'BE' });
  assert.deepEqual(fieldsOf(out.schema), ['name STRING', 'address STRUCT?', 'state STRING?']);
  const named = { ...options, 'output.field.name': 'land' };
  assert.deepEqual(await value('ExtractNestedField$Value', named, ada), { ...ada, land: 'BE' });
  assert.deepEqual(await value('ExtractNestedField$Value', options, { name: 'Bob' }), {
    name: 'Bob',
    state: null,
  });
  await fails('ExtractNestedField$Value', options, null, { address: 'Berlin' });
  await fails('ExtractNestedField$Value', { ...options, 'input.inner.field.name': 'zip' }, PERSON, ada);
});

test('SetMaximumPrecision lowers what schemas of decimals say, and leaves the others alone', async () => {
  const precision = (schema: Schema | null, name: string): string | undefined =>
    schema?.fields?.find((field) => field.name === name)?.schema.parameters?.['connect.decimal.precision'];
  const schema = SchemaBuilder.struct()
    .field('open', decimalSchema(2).build())
    .field('wide', decimalSchema(2).parameter('connect.decimal.precision', '40').optional().build())
    .field('narrow', decimalSchema(2).parameter('connect.decimal.precision', '10').build())
    .build();
  const out = await apply('SetMaximumPrecision$Value', { 'precision.max': '32' }, schema, { open: null });
  assert.deepEqual(
    ['open', 'wide', 'narrow'].map((name) => precision(out?.schema ?? null, name)),
    ['32', '32', '10'],
  );
  const same = await apply('SetMaximumPrecision$Value', { 'precision.max': '64' }, schema, {});
  assert.equal(same?.schema, schema);
  await fails('SetMaximumPrecision$Value', { 'precision.max': '32' }, null, {});
  await fails('SetMaximumPrecision$Value', { 'precision.max': '32' }, STRING_SCHEMA, 'x');
});

test('SetNull takes the key or the value away', async () => {
  const chain = await single(`${ROCKETMQ}SetNull$Key`, {});
  const out = chain.apply(record(STRING_SCHEMA, 'v', { keySchema: STRING_SCHEMA, key: 'k' }));
  assert.deepEqual([out?.keySchema, out?.key, out?.value], [null, null, 'v']);
  assert.deepEqual(await apply('SetNull$Value', {}, STRING_SCHEMA, 'v'), { schema: null, value: null });
});
