import assert from 'node:assert/strict';
import { test } from 'node:test';
import v8 from 'node:v8';
import { until } from '../../support/wait.js';
import { actor, supervisor, Troupe } from './troupe.js';

const thread = new URL('./fixtures/whole-thread.cjs', import.meta.url).href;

async function origin(troupe: Troupe, id: string, codeKind: string): Promise<unknown> {
  const spec = actor(id, 'counter', { thread, codeKind });
  await troupe.perform({ do: 'startChild', supervisor: 'tasks', spec });
  return until('it answers', () => troupe.ask(id, 'origin'));
}

async function stopped(troupe: Troupe, id: string): Promise<void> {
  await troupe.perform({ do: 'stopChild', id });
  assert.equal((await troupe.exit(id)).reason.code, 'NORMAL');
}

test('what the first thread of a kind has compiled is run by those after it, until the flags of V8 change', async () => {
  const ids = ['first', 'other kind', 'second', 'flags', 'after'];
  await using troupe = new Troupe([supervisor('tasks', [])], { peers: ids });
  assert.equal(await origin(troupe, 'first', 'a'), 'none');
  await stopped(troupe, 'first');
  assert.equal(await origin(troupe, 'other kind', 'b'), 'none');
  assert.equal(await origin(troupe, 'second', 'a'), 'given');
  v8.setFlagsFromString('--stack-size=985');
  assert.equal(await origin(troupe, 'flags', 'a'), 'rejected');
  await stopped(troupe, 'flags');
  assert.equal(await origin(troupe, 'after', 'a'), 'given');
});

test('a thread that goes on running gives what it has compiled as well', async () => {
  const ids = ['first', ...Array.from({ length: 200 }, (_, at) => `next ${at}`)];
  await using troupe = new Troupe([supervisor('tasks', [])], { peers: ids });
  assert.equal(await origin(troupe, 'first', 'a'), 'none');
  let at = 0;
  await until('a thread is given it', async () => {
    const id = `next ${at++}`;
    const found = await origin(troupe, id, 'a');
    await troupe.perform({ do: 'stopChild', id });
    return found === 'given';
  });
});
