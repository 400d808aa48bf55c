import assert from 'node:assert/strict';
import test from 'node:test';

import fc from 'fast-check';

import { errorOf, Rest, type Answer } from './client.js';
import { SOURCE } from './in-memory-runtime.js';

const CONFIG = { 'connector.class': SOURCE, file: 'a' };

const path = fc.oneof(
  fc.constantFrom(
    '/connectors',
    '/connectors/a/config',
    '/connectors/b/config',
    '/connectors/a/restart?includeTasks=true',
    '/connectors/a/tasks/0/restart',
    '/connectors/a/pause',
    '/connector-plugins/LinesSource/config/validate',
  ),
  fc.webPath(),
);
const key = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom(
    'name',
    'config',
    'initial_state',
    'connector.class',
    'file',
    'tasks.max',
    'db.pin',
    '__proto__',
    'constructor',
    'toString',
  ),
);
const leaf = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(SOURCE, 'a', '[hidden]', '-1', '__proto__'),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
);
const value = fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }), fc.dictionary(key, leaf, { maxKeys: 5 }));
const body = fc.oneof(
  fc.dictionary(key, value, { maxKeys: 6 }).map((json) => JSON.stringify(json)),
  fc.record({ name: leaf, config: fc.dictionary(key, leaf) }).map((json) => JSON.stringify(json)),
  fc.json(),
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 50 }),
);

test('no body and no path make a 500, and every refusal has the shape of an error', async (t) => {
  const rest = await Rest.start(t);
  await rest.send('PUT', '/connectors/a/config', { body: CONFIG });
  const method = fc.constantFrom('POST', 'PUT', 'PATCH', 'GET', 'DELETE');
  await fc.assert(
    fc.asyncProperty(method, path, body, async (verb, route, sent) => {
      const answer = await rest.send(verb, route, { body: sent });
      assert.ok(answer.status < 500, `${answer.status} ${answer.text}`);
      if (answer.status >= 400) assert.equal(errorOf(answer.json).error_code, answer.status);
      assert.deepEqual(Object.keys(Object.prototype), []);
    }),
    { numRuns: 400 },
  );
  assert.deepEqual(
    rest.log.filter(({ level }) => level === 'error'),
    [],
  );
});

test('20 clients create, pause, resume, restart and delete 100 connectors at once; every answer is in its place', async (t) => {
  const rest = await Rest.start(t);
  const bad: Answer[] = [];
  const expect = async (status: number, answer: Promise<Answer>): Promise<void> => {
    const got = await answer;
    if (got.status !== status) bad.push(got);
  };
  const life = async (name: string, kept: boolean): Promise<void> => {
    const at = `/connectors/${name}`;
    await expect(201, rest.send('POST', '/connectors', { body: { name, config: CONFIG } }));
    await expect(409, rest.send('POST', '/connectors', { body: { name, config: CONFIG } }));
    await expect(202, rest.send('PUT', `${at}/pause`));
    await expect(200, rest.send('PATCH', `${at}/config`, { body: { file: name } }));
    await expect(202, rest.send('POST', `${at}/restart?includeTasks=true`));
    await expect(202, rest.send('PUT', `${at}/resume`));
    if (kept) return;
    await expect(204, rest.send('DELETE', at));
    await expect(404, rest.send('GET', at));
  };
  const client = async (number: number): Promise<void> => {
    for (let i = 0; i < 5; i += 1) await life(`c-${number}-${i}`, i === 0);
  };
  await Promise.all(Array.from({ length: 20 }, (_, number) => client(number)));
  assert.deepEqual(bad, []);
  const left = [...rest.runtime.entries.values()];
  assert.deepEqual(
    left.map(({ name }) => name).sort(),
    Array.from({ length: 20 }, (_, number) => `c-${number}-0`).sort(),
  );
  assert.ok(
    left.every(({ name, config, targetState }) => config['file'] === name && targetState === 'RUNNING'),
  );
});
