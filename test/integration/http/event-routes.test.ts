/** `GET /events` over a runtime in memory. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { EventClient } from '../../support/event-client.js';
import { until } from '../../support/wait.js';
import { errorOf, Rest } from './client.js';

const PATIENCE_MS = 30_000;

function happen(rest: Rest, connector: string | null, data: Readonly<Record<string, string>> = {}): void {
  const offset = rest.runtime.places.cluster++;
  rest.runtime.pages.cluster.push([{ offset, at: 1, event: 'state', connector, data }]);
}

test('a client hears what comes, of the connectors that it asked for', async (t) => {
  const rest = await Rest.start(t);
  happen(rest, 'a', { state: 'before' });
  const [all, one] = [await EventClient.open(rest.port), await EventClient.open(rest.port, '?connector=b')];
  happen(rest, 'a');
  happen(rest, null);
  happen(rest, 'b', { state: 'RUNNING' });
  const { event, data, id } = await one.next('state');
  assert.deepEqual(
    { event, data, id },
    { event: 'state', id: '7-74', data: { at: 1, connector: 'b', state: 'RUNNING' } },
  );
  await all.next('state', { connector: 'b' });
  assert.deepEqual(
    all.events.map((each) => each.data['connector']),
    ['a', undefined, 'b'],
  );
});

test('a client that comes back hears what it has missed, once, or that something is gone', async (t) => {
  const rest = await Rest.start(t);
  const first = await EventClient.open(rest.port);
  happen(rest, 'a', { state: '1' });
  await first.next('state', { state: '1' });
  first.close();
  happen(rest, 'a', { state: '2' });
  const second = await EventClient.open(rest.port, '', { after: first.lastId });
  await second.next('state', { state: '2' });
  happen(rest, 'a', { state: '3' });
  await second.next('state', { state: '3' });
  assert.deepEqual(
    second.events.map(({ data }) => data['state']),
    ['2', '3'],
  );
  for (let i = 0; i < 2000; i += 1) happen(rest, 'a', { state: 'many' });
  const third = await EventClient.open(rest.port, '', { after: first.lastId });
  await third.next('state', { state: 'many' });
  assert.equal(third.events[0]?.event, 'gap');
  assert.equal(third.events[0].data['source'], 'cluster');
  assert.equal(third.events.filter(({ event }) => event === 'gap').length, 1);
  const ahead = await EventClient.open(rest.port, '', { after: '7-99999' });
  await ahead.next('gap', { source: 'cluster' });
});

test('an id that is none is refused', async (t) => {
  const rest = await Rest.start(t);
  const answer = await rest.send('GET', '/events', { headers: { 'last-event-id': 'yesterday' } });
  assert.equal(errorOf(answer.json).code, 'QUERY_INVALID');
});

test('HEAD answers without a stream', async (t) => {
  const rest = await Rest.start(t);
  const { status, headers } = await rest.send('HEAD', '/events');
  assert.deepEqual([status, headers['content-type']], [200, 'text/event-stream; charset=utf-8']);
});

test('a client that does not read is cut off, and told why, and others hear on', async (t) => {
  const rest = await Rest.start(t, { eventPatienceMs: 1000 });
  const slow = await EventClient.open(rest.port, '', { reads: false });
  const other = await EventClient.open(rest.port);
  const text = 'x'.repeat(64 * 1024);
  // What the system holds for a connection comes first.
  for (let i = 0; i < 300; i += 1) happen(rest, 'a', { state: String(i), text });
  await other.next('state', { state: '299' });
  await until(
    'it was cut off',
    () => rest.log.some(({ message }) => message.includes('cut off')),
    PATIENCE_MS,
  );
  slow.read();
  const { data } = await slow.next('closed');
  assert.equal(data['code'], 'TOO_SLOW');
  await until('the stream has ended', () => slow.ended, PATIENCE_MS);
  assert.ok(slow.events.length < 300, 'it has not heard all');
  assert.ok(!other.ended);
});

test('one client too many is refused until another one goes', async (t) => {
  const rest = await Rest.start(t);
  const clients: EventClient[] = [];
  for (let i = 0; i < 32; i += 1) clients.push(await EventClient.open(rest.port));
  const refused = await rest.send('GET', '/events');
  assert.equal(errorOf(refused.json).code, 'EVENT_CLIENTS_FULL');
  clients[0]?.close();
  await until(
    'there is room again',
    async () => {
      const client = await EventClient.open(rest.port);
      client.close();
      return true;
    },
    PATIENCE_MS,
  );
});

test('where a part of the node is down a client is told, and hears on when it is back', async (t) => {
  const rest = await Rest.start(t);
  const client = await EventClient.open(rest.port);
  const { RuntimeFailure } = await import('#troupe/http/runtime.js');
  rest.runtime.before = (what) => {
    if (what === 'events') throw new RuntimeFailure('ACTOR_DOWN', 'discovery is down');
  };
  // The questions that are open are answered as ever.
  happen(rest, 'a');
  await client.next('waiting', { source: 'cluster' });
  rest.runtime.before = () => undefined;
  happen(rest, 'a', { state: 'after' });
  await client.next('state', { state: 'after' });
});

test('a stop of the node ends the streams, and says so', async (t) => {
  const rest = await Rest.start(t);
  const client = await EventClient.open(rest.port);
  const stopped = rest.stop(10_000);
  assert.equal((await client.next('closed')).data['code'], 'SHUTTING_DOWN');
  await stopped;
});
