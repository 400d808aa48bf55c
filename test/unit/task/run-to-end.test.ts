import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { PluginCalls } from '#troupe/actors/task/plugin-calls.js';
import { runToEnd } from '#troupe/actors/task/run-to-end.js';

const ignore = (): void => undefined;

function ending(t: TestContext) {
  const warnings: string[] = [];
  const warn = (fields: object, message: string): void =>
    void warnings.push(`${message} ${JSON.stringify(fields)}`);
  const log = { debug: ignore, info: ignore, warn, error: ignore, child: () => log };
  const calls = new PluginCalls(60_000, ignore);
  const asked = new AbortController();
  t.after(() => {
    calls.close();
  });
  const run = (loop: Promise<void>, stop: () => Promise<void> | void): Promise<void> =>
    runToEnd({ calls, log, signal: asked.signal, stopTimeoutMs: 20 }, loop, stop);
  return { run, asked, warnings };
}

const broken = new Error('the far end is broken');

test('a plugin that does not return from stop after its loop has failed does not hide the failure', async (t) => {
  const { run, warnings } = ending(t);
  await assert.rejects(
    run(Promise.reject(broken), () => new Promise(ignore)),
    broken,
  );
  assert.match(warnings.join(), /stop.*20 ms/);
});

test('a plugin that fails in stop after its loop has failed does not replace the cause', async (t) => {
  const { run, warnings } = ending(t);
  await assert.rejects(
    run(Promise.reject(broken), () => {
      throw new Error('not connected');
    }),
    broken,
  );
  assert.match(warnings.join(), /not connected/);
});

test('a loop that ends though nobody asked the task to stop is a fault, and the plugin is stopped', async (t) => {
  const { run } = ending(t);
  let stops = 0;
  await assert.rejects(
    run(Promise.resolve(), () => void (stops += 1)),
    /nobody asked/,
  );
  assert.equal(stops, 1);
});

test('a task that was asked to stop ends well, or by what its stop throws', async (t) => {
  const { run, asked } = ending(t);
  asked.abort();
  await run(Promise.resolve(), ignore);
  await assert.rejects(
    run(Promise.resolve(), () => Promise.reject(broken)),
    broken,
  );
});
