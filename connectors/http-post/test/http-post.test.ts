import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptSink, SinkHarness, type SinkFixture } from '@troupe/sdk/testing';
import { serve } from '@troupe/test-support/serve';
import { dependants, watchedSignals } from '@troupe/test-support/task-signals';
import httpPost from '../src/index.js';

async function setup(): Promise<SinkFixture> {
  const posted: string[] = [];
  const served = await serve((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      posted.push(Buffer.concat(chunks).toString());
      response.writeHead(204).end();
    });
  });
  return { ...served, read: () => Promise.resolve(posted) };
}

acceptSink({
  name: 'http-post',
  plugin: httpPost,
  setup,
  wrongConfigs: [{ change: { url: 'nowhere' }, field: 'url' }],
});

test('a sink that calls its system for each record leaves nothing in the signal of its task', async (t) => {
  const served = await serve((_request, response) => response.writeHead(204).end());
  t.after(served.cleanup);
  const { type, plugin } = httpPost;
  assert.ok(type === 'sink');
  const signals: AbortSignal[] = [];
  const createTask = watchedSignals(() => plugin.createTask(), signals);
  const harness = new SinkHarness({ ...plugin, createTask }, { ...served.config });
  await harness.start();
  harness.append(0, ['a', 'b', 'c']);
  await harness.deliver();
  assert.equal(dependants(signals[0]), 0);
  await harness.stop();
});
