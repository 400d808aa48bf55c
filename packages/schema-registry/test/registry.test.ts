import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test, type TestContext } from 'node:test';
import { DataError, parseConfigOrThrow, RetriableError } from '@troupe/sdk';
import { whenReady } from '@troupe/test-support/ready';
import { serve } from '@troupe/test-support/serve';
import { Registry, REGISTRY_KEYS, registryOptions, schemaIdOf, subjectNames } from '../src/index.js';

type Answers = (request: IncomingMessage) => { status: number; body: string };

/** A registry that says what the test wants. */
async function registry(
  t: TestContext,
  answers: Answers,
  more: Record<string, string> = {},
): Promise<{ registry: Registry; asked: string[] }> {
  const asked: string[] = [];
  const served = await serve((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    const { status, body } = answers(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  t.after(served.cleanup);
  const url = served.config.url;
  const config = parseConfigOrThrow(REGISTRY_KEYS, { 'schema.registry.url': url, ...more });
  return { registry: new Registry(registryOptions(config, { isKey: false }), 'AVRO'), asked };
}

const code =
  (expected: string) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof DataError || error instanceof RetriableError, String(error));
    assert.equal(error.code, expected, error.message);
    return true;
  };

test('a schema is asked for once, and known from then on', async (t) => {
  const { registry: known, asked } = await registry(t, () => ({
    status: 200,
    body: '{"schema":"\\"long\\""}',
  }));
  assert.throws(() => known.schema(7), code('REGISTRY_ASKED'));
  assert.equal((await whenReady(() => known.schema(7))).text, '"long"');
  assert.equal(known.schema(7).id, 7);
  assert.deepEqual(asked, ['GET /schemas/ids/7']);
});

test('an unknown id is a fault of the record, and many such records ask once', async (t) => {
  const { registry: known, asked } = await registry(t, () => ({ status: 404, body: '{"error_code":40403}' }));
  for (let i = 0; i < 3; i += 1)
    await assert.rejects(
      whenReady(() => known.schema(7)),
      code('UNKNOWN_SCHEMA_ID'),
    );
  assert.equal(asked.length, 1);
});

test('a registry that is away, busy, or refuses the credentials is asked again, and no record is to blame', async (t) => {
  const statuses = [503, 401, 429, 200];
  const { registry: known } = await registry(t, () => ({
    status: statuses.shift() ?? 200,
    body: '{"id":3}',
  }));
  for (let i = 0; i < 3; i += 1)
    await assert.rejects(
      whenReady(() => known.idOf('s', '"long"')),
      (error) => code('REGISTRY_AWAY')(error) && error instanceof RetriableError && error.ready === null,
    );
  assert.equal(await whenReady(() => known.idOf('s', '"long"')), 3);
});

test('what the registry refuses of a schema is said', async (t) => {
  const answers = new Map([
    ['/subjects/old/versions', { status: 409, body: '{"message":"reader has no default"}' }],
    ['/subjects/bad/versions', { status: 422, body: '{"message":"no Avro"}' }],
  ]);
  const { registry: known } = await registry(
    t,
    ({ url = '' }) => answers.get(url) ?? { status: 404, body: '{}' },
  );
  await assert.rejects(
    whenReady(() => known.idOf('old', '"long"')),
    (error) => code('INCOMPATIBLE_SCHEMA')(error) && /reader has no default/.test(String(error)),
  );
  await assert.rejects(
    whenReady(() => known.idOf('bad', '"long"')),
    code('BAD_SCHEMA'),
  );
  await assert.rejects(
    whenReady(() => known.latest('none')),
    code('UNKNOWN_SUBJECT'),
  );
});

test('a page that is no registry, and an answer that comes too late, are a registry that is away', async (t) => {
  const { registry: page } = await registry(t, () => ({ status: 200, body: '<html>' }));
  await assert.rejects(
    whenReady(() => page.schema(1)),
    code('REGISTRY_AWAY'),
  );
  const silent = await serve(() => undefined);
  t.after(silent.cleanup);
  const config = parseConfigOrThrow(REGISTRY_KEYS, {
    'schema.registry.url': silent.config.url,
    'http.read.timeout.ms': '20',
  });
  const late = new Registry(registryOptions(config, { isKey: true }), 'AVRO');
  await assert.rejects(
    whenReady(() => late.schema(1)),
    (error) => code('REGISTRY_AWAY')(error) && /within 20 ms/.test(String(error)),
  );
});

test('user and password go along, from the URL or from basic.auth.user.info', async (t) => {
  const seen: (string | undefined)[] = [];
  const answer: Answers = ({ headers }) => {
    seen.push(headers.authorization);
    return { status: 200, body: '{"schema":"\\"int\\""}' };
  };
  const { registry: known } = await registry(t, answer, {
    'basic.auth.credentials.source': 'USER_INFO',
    'basic.auth.user.info': 'me:se:cret',
  });
  await whenReady(() => known.schema(1));
  assert.deepEqual(seen, [`Basic ${Buffer.from('me:se:cret').toString('base64')}`]);
  const config = (more: Record<string, string>) =>
    registryOptions(
      parseConfigOrThrow(REGISTRY_KEYS, { 'schema.registry.url': 'http://a:b%20c@h', ...more }),
      { isKey: true },
    );
  assert.equal(config({}).address.urls[0]?.password, 'b%20c');
  assert.throws(() => config({ 'basic.auth.credentials.source': 'user_info' }), /user:password/);
});

test('the first registry that answers is taken', async (t) => {
  const served = await serve((_request, response) => response.writeHead(200).end('{"schema":"\\"int\\""}'));
  t.after(served.cleanup);
  const urls = `http://127.0.0.1:1,${served.config.url}`;
  const config = parseConfigOrThrow(REGISTRY_KEYS, { 'schema.registry.url': urls });
  const known = new Registry(registryOptions(config, { isKey: false }), 'AVRO');
  assert.equal((await whenReady(() => known.schema(1))).text, '"int"');
});

test('subjects are named as Confluent does', () => {
  const of = (name: string) =>
    subjectNames(`io.confluent.kafka.serializers.subject.${name}`, 'value', 'f')('t', 'a.B');
  assert.deepEqual(['TopicNameStrategy', 'RecordNameStrategy', 'TopicRecordNameStrategy'].map(of), [
    't-value',
    'a.B',
    't-a.B',
  ]);
  assert.equal(subjectNames('TopicNameStrategy', 'key', 'f')('t', null), 't-key');
  assert.throws(() => subjectNames('RecordNameStrategy', 'key', 'f')('t', null), code('NO_RECORD_NAME'));
  assert.throws(() => subjectNames('com.example.Mine', 'key', 'f'), /TopicRecordNameStrategy/);
});

test('bytes without a schema id are of another converter', () => {
  assert.equal(schemaIdOf(Uint8Array.of(0, 0, 0, 1, 2)), 258);
  for (const bytes of [[], [0, 0, 0, 1], [1, 0, 0, 1, 2]])
    assert.throws(() => schemaIdOf(Uint8Array.from(bytes)), code('NOT_OF_REGISTRY'));
});
