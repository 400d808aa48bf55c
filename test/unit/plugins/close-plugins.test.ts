import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closePlugins } from '#troupe/plugins/close-plugins.js';

test('plugins that throw, reject or do not end keep no other from being closed, and all of it is told', async () => {
  const closed: string[] = [];
  const told: string[] = [];
  const hangs = new Promise<void>(() => undefined);
  await closePlugins(
    [
      {
        close: () => {
          throw new Error('thrown');
        },
      },
      { close: () => Promise.reject(new Error('rejected')) },
      {},
      { close: () => hangs },
      { close: () => void closed.push('last') },
    ],
    10,
    (cause) => told.push(cause),
  );
  assert.deepEqual(closed, ['last']);
  assert.deepEqual(told, ['thrown', 'rejected', 'close() did not return within 10 ms']);
});
