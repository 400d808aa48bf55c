import assert from 'node:assert/strict';
import { test } from 'node:test';
import { treeText } from '#troupe/http/tree-text.js';

test('the tree for people is one aligned line a node', () => {
  const MB = 1024 * 1024;
  const text = treeText({
    id: 'root',
    kind: 'supervisor',
    state: 'running',
    strategy: 'one_for_one',
    restarts: 0,
    upMs: 3_723_000,
    children: [
      {
        id: 'http',
        kind: 'actor',
        state: 'running',
        restarts: 0,
        upMs: 90_000,
        heapUsedBytes: 12 * MB,
        heapLimitBytes: 64 * MB,
        eventLoopUse: 0.124,
        mailbox: 3,
      },
      {
        id: 'tasks',
        kind: 'supervisor',
        state: 'running',
        strategy: 'one_for_one',
        restarts: 1,
        upMs: 5000,
        children: [
          {
            id: 'orders-0',
            kind: 'actor',
            state: 'failed',
            restarts: 3,
            lastExit: { code: 'CRASH', message: `it broke\nand more ${'x'.repeat(200)}` },
          },
        ],
      },
    ],
  });
  assert.deepEqual(text.split('\n'), [
    'root            running   one_for_one  up 1h2m',
    '├─ http         running   up 1m30s  heap 12/64 MB  loop 12 %  mailbox 3',
    '└─ tasks        running   one_for_one  up 5s  restarts 1',
    '   └─ orders-0  failed    restarts 3  last exit CRASH: it broke',
  ]);
});
