import assert from 'node:assert/strict';
import test from 'node:test';

import { RuntimeFailure } from '#troupe/http/runtime.js';
import { errorOf, Rest } from './client.js';
import { SINK, SOURCE } from './in-memory-runtime.js';

/** `db.pin` is a PASSWORD by definition, `api.token` by its name, `public.token.limit` is neither. */
const CONFIG = {
  'connector.class': SOURCE,
  file: 'a',
  'db.pin': 'pin-4711',
  'api.token': 'tok-secret',
  'db.password': '${env:DB_PASSWORD}',
  'public.token.limit': '5',
};
const SHOWN = { ...CONFIG, 'db.pin': '[hidden]', 'api.token': '[hidden]', name: 'a' };

async function withConnector(...args: Parameters<typeof Rest.start>): Promise<Rest> {
  const rest = await Rest.start(...args);
  assert.equal((await rest.send('PUT', '/connectors/a/config', { body: CONFIG })).status, 201);
  return rest;
}

test('passwords are shown by no route, references to them are', async (t) => {
  const rest = await withConnector(t);
  assert.deepEqual((await rest.send('GET', '/connectors/a/config')).json, SHOWN);
  const text = { headers: { accept: 'text/plain' } };
  const answers = [
    await rest.send('GET', '/connectors/a'),
    await rest.send('GET', '/connectors/a/tasks'),
    await rest.send('GET', '/connectors?expand=info'),
    await rest.send('PUT', '/connectors/a/config', { body: CONFIG }),
    await rest.send('PATCH', '/connectors/a/config', { body: { file: 'b' } }),
    await rest.send('PUT', '/connector-plugins/LinesSource/config/validate', { body: CONFIG }),
    await rest.send('GET', '/connectors/a/config', text),
    await rest.send('GET', '/getConfigInfo'),
    await rest.send('GET', '/getAllocatedInfo'),
  ];
  for (const { status, text: shown } of answers) {
    assert.equal(status, 200);
    assert.doesNotMatch(shown, /pin-4711|tok-secret/);
    assert.match(shown, /\[hidden\]/);
  }
  const logged = JSON.stringify(rest.log);
  assert.doesNotMatch(logged, /pin-4711|tok-secret/);
});

test('a password given under another name of its key is shown by no route', async (t) => {
  const rest = await Rest.start(t);
  const { 'db.pin': pin, ...others } = CONFIG;
  const body = { ...others, 'db.number': pin };
  assert.equal((await rest.send('PUT', '/connectors/a/config', { body })).status, 201);
  for (const path of ['/connectors/a/config', '/connectors/a/tasks', '/getConfigInfo'])
    assert.match((await rest.send('GET', path)).text, /"db.number":"\[hidden\]"/);
  const definitions = await rest.send('GET', '/connector-plugins/LinesSource/config');
  assert.doesNotMatch(definitions.text, /aliases/);
});

test('the entries of a map of passwords are shown by no route, and may be sent back as they are shown', async (t) => {
  const rest = await Rest.start(t);
  const body = { ...CONFIG, 'headers.Authorization': 'Bearer xyz', 'headers.': 'of no entry' };
  assert.equal((await rest.send('PUT', '/connectors/a/config', { body })).status, 201);
  const shown = { ...body, ...SHOWN, 'headers.Authorization': '[hidden]' };
  assert.deepEqual((await rest.send('GET', '/connectors/a/config')).json, shown);
  assert.equal((await rest.send('PUT', '/connectors/a/config', { body: shown })).status, 200);
  assert.equal(rest.runtime.entries.get('a')?.config['headers.Authorization'], 'Bearer xyz');
});

test("a password of the node's own converter is shown by no route", async (t) => {
  const rest = await Rest.start(t, { defaultConverters: { valueConverter: 'example.JsonConverter' } });
  const body = { ...CONFIG, 'value.converter.auth': 'hunter2' };
  assert.equal((await rest.send('PUT', '/connectors/a/config', { body })).status, 201);
  for (const path of ['/connectors/a/config', '/connectors/a/tasks', '/getConfigInfo'])
    assert.match((await rest.send('GET', path)).text, /"value.converter.auth":"\[hidden\]"/);
});

test('a configuration that was read can be put back: what is hidden stays as it is stored', async (t) => {
  const rest = await withConnector(t);
  assert.equal(
    (await rest.send('PUT', '/connectors/a/config', { body: { ...SHOWN, file: 'b' } })).status,
    200,
  );
  assert.deepEqual(rest.runtime.entries.get('a')?.config, { ...CONFIG, file: 'b', name: 'a' });
  assert.equal(
    (await rest.send('PATCH', '/connectors/a/config', { body: { 'db.pin': '[hidden]', file: 'c' } })).status,
    200,
  );
  assert.deepEqual(rest.runtime.entries.get('a')?.config, { ...CONFIG, file: 'c', name: 'a' });
});

test('hidden values that nothing is stored for are refused', async (t) => {
  const rest = await withConnector(t);
  const body = { ...CONFIG, 'db.pin': '[hidden]' };
  for (const answer of [
    await rest.send('PUT', '/connectors/b/config', { body }),
    await rest.send('POST', '/connectors', { body: { name: 'b', config: body } }),
    await rest.send('PATCH', '/connectors/a/config', { body: { 'new.password': '[hidden]' } }),
  ]) {
    const error = errorOf(answer.json);
    assert.equal(error.code, 'CONFIG_INVALID');
    assert.equal(error.errors?.length, 1);
  }
});

test('what is hidden is not kept for a plugin that it was not written for', async (t) => {
  const rest = await withConnector(t);
  const other = { 'connector.class': SINK };
  const validate = `/connector-plugins/${SINK}/config/validate`;
  for (const [answer, fields] of [
    [await rest.send('PATCH', '/connectors/a/config', { body: other }), ['db.pin', 'api.token']],
    [
      await rest.send('PATCH', '/connectors/a/config', { body: { ...other, 'db.pin': '[hidden]' } }),
      ['db.pin', 'api.token'],
    ],
    [
      await rest.send('PUT', '/connectors/a/config', { body: { ...SHOWN, ...other } }),
      ['db.pin', 'api.token'],
    ],
    [await rest.send('PUT', validate, { body: { ...SHOWN, ...other } }), ['db.pin', 'api.token']],
    [await rest.send('PATCH', '/connectors/a/config', { body: { ...other, 'api.token': null } }), ['db.pin']],
  ] as const) {
    assert.equal(answer.status, 400);
    const error = errorOf(answer.json);
    assert.equal(error.code, 'CONFIG_INVALID');
    assert.deepEqual(
      error.errors?.map(({ field }) => field),
      fields,
    );
    assert.doesNotMatch(answer.text, /pin-4711|tok-secret/);
  }
  const given = { ...other, 'api.token': null, 'db.pin': 'pin-4711', file: 'b' };
  assert.equal((await rest.send('PATCH', '/connectors/a/config', { body: given })).status, 200);
});

test('a password changed between reading and writing is not put back to the old one', async (t) => {
  const rest = await withConnector(t);
  let changes = 0;
  rest.runtime.before = (what) => {
    const entry = rest.runtime.entries.get('a');
    if (what !== 'put' || changes === 2 || entry === undefined) return;
    changes += 1;
    rest.runtime.entries.set('a', {
      ...entry,
      config: { ...entry.config, 'db.pin': `pin-000${changes}` },
      version: entry.version + 100,
    });
  };
  assert.equal((await rest.send('PUT', '/connectors/a/config', { body: SHOWN })).status, 200);
  assert.equal(rest.runtime.entries.get('a')?.config['db.pin'], 'pin-0002');
});

for (const failure of ['PLUGIN_NOT_FOUND', 'PLUGIN_LOAD_FAILED', 'PLANNING_TIMEOUT', 'OWN_CODE']) {
  test(`of a plugin that cannot be read (${failure}) every value but those of the runtime's own keys is hidden`, async (t) => {
    const rest = await withConnector(t);
    await rest.send('GET', '/plugin/reload');
    rest.runtime.before = (what) => {
      if (what === 'pluginConfig') throw new RuntimeFailure(failure, 'gone');
    };
    assert.deepEqual((await rest.send('GET', '/connectors/a/config')).json, {
      ...SHOWN,
      file: '[hidden]',
      'public.token.limit': '[hidden]',
    });
  });
}
