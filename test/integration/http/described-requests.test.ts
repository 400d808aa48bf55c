/** Requests made from the description of the API, valid and not. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Rest } from './client.js';
import { Description } from './described.js';
import { SINK } from './in-memory-runtime.js';
import { FILE } from './route-table.js';

const RUNS = Number(process.env['TEST_REQUESTS'] ?? '1000');
const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 31);

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly query: readonly string[];
}

/** What keeps the connection for itself, or ends it, is no route's. */
const operations: readonly Operation[] = Object.entries(new Description().document.paths).flatMap(
  ([path, methods]) =>
    // Its answer does not end.
    Object.entries(path === '/events' ? {} : methods).map(([method, { parameters = [] }]) => ({
      method: method.toUpperCase(),
      path,
      // As the document is made.
      query: (parameters as readonly { in: string; name: string }[])
        .filter((parameter) => parameter.in === 'query')
        .map(({ name }) => name),
    })),
);

const part = fc.constantFrom(
  'a',
  's',
  'none',
  't',
  '0',
  '7',
  'x',
  '%20',
  '%E5%85%A5',
  'LinesSource',
  'worker-1',
);
const word = fc.constantFrom(
  'true',
  'false',
  '',
  'maybe',
  'info',
  'status',
  'drop',
  'keep',
  '10',
  '-1',
  '{}',
);
const config = fc.constantFrom(
  FILE,
  { ...FILE, 'tasks.max': 'x' },
  { ...FILE, file: null },
  { 'connector.class': SINK },
);
const offsets = fc.array(
  fc.record(
    {
      partition: fc.constantFrom<unknown>(null, {}, { file: 'b' }, { kafka_topic: 't', kafka_partition: 0 }),
      offset: fc.constantFrom<unknown>(null, 1, { at: 1 }, { kafka_offset: -1 }, { kafka_offset: 2 }),
    },
    { requiredKeys: [] },
  ),
  { maxLength: 2 },
);
const creation = fc.record(
  {
    name: fc.constantFrom<unknown>('b', ' c ', 'a', '', 5),
    config,
    initial_state: fc.constantFrom<unknown>('PAUSED', 'asleep'),
    initial_offsets: offsets,
  },
  { requiredKeys: ['name', 'config'] },
);
const signal = fc.record({
  type: fc.constantFrom<unknown>('t', '', 1),
  to: fc.constantFrom('all', 'nobody'),
});

/** Mostly of the kind that the route takes. */
function bodyOf({ path }: Operation): fc.Arbitrary<unknown> {
  const fitting =
    path === '/connectors'
      ? creation
      : path.endsWith('/offsets')
        ? fc.record({ offsets })
        : path.endsWith('/signals')
          ? signal
          : config;
  return fc.oneof({ weight: 5, arbitrary: fitting }, fc.constant(undefined), fc.jsonValue());
}

// Those that write are the more interesting ones.
const request = fc
  .oneof(
    fc.constantFrom(...operations),
    fc.constantFrom(...operations.filter(({ method }) => method !== 'GET')),
  )
  .chain((operation) =>
    fc.record({
      operation: fc.constant(operation),
      parts: fc.array(part, { minLength: 2, maxLength: 2 }),
      words: fc.array(fc.option(word), { minLength: 3, maxLength: 3 }),
      body: bodyOf(operation),
    }),
  );

test('requests made from the description get described answers, no 5xx, and change nothing where they are refused', async (t) => {
  const rest = await Rest.start(t);
  t.diagnostic(`TEST_SEED=${SEED}`);
  await fc.assert(
    fc.asyncProperty(request, async ({ operation, parts, words, body: sent }) => {
      await rest.send('PUT', '/connectors/a/config', { body: FILE });
      await rest.send('PUT', '/connectors/s/config', { body: { ...FILE, 'connector.class': SINK } });
      const { method, path, query } = operation;
      const filled = parts.reduce((left, each) => left.replace(/\{\w+\}/, each), path);
      const asked = query.flatMap((name, i) => {
        const value = words[i] ?? null;
        return value === null ? [] : [`${name}=${encodeURIComponent(value)}`];
      });
      const before = JSON.stringify([...rest.runtime.entries]);
      const target = asked.length === 0 ? filled : `${filled}?${asked.join('&')}`;
      const withBody = method === 'GET' || method === 'DELETE' ? {} : { body: sent };
      const answer = await rest.send(method, target, withBody);
      assert.ok(answer.status < 500, `${method} ${target}: ${answer.status} ${answer.text}`);
      if (answer.status >= 400) assert.equal(JSON.stringify([...rest.runtime.entries]), before);
    }),
    { numRuns: RUNS, seed: SEED },
  );
});
