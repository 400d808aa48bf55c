import assert from 'node:assert/strict';
import test from 'node:test';

import { treeText } from '#troupe/http/tree-text.js';

test('the tree is drawn with what is known of each actor', () => {
  const text = treeText({
    id: 'root',
    kind: 'supervisor',
    state: 'running',
    restarts: 0,
    strategy: 'one_for_one',
    children: [
      {
        id: 'http',
        kind: 'actor',
        state: 'running',
        restarts: 0,
        upMs: 61_000,
        heapUsedBytes: 8 << 20,
        heapLimitBytes: 64 << 20,
        eventLoopUse: 0.034,
        mailbox: 2,
      },
      {
        id: 'runtime',
        kind: 'supervisor',
        state: 'running',
        restarts: 0,
        strategy: 'rest_for_one',
        children: [
          {
            id: 'discovery',
            kind: 'actor',
            state: 'backoff',
            restarts: 3,
            lastExit: { code: 'CRASH', message: 'boom\n  at x' },
          },
        ],
      },
      { id: 'last', kind: 'actor', state: 'stopped', restarts: 0 },
    ],
  });
  assert.equal(
    text,
    `root  running  one_for_one
├─ http  running  heap=8/64 MiB  busy=3%  mailbox=2  up=61s
├─ runtime  running  rest_for_one
│  └─ discovery  backoff  restarts=3  last exit: CRASH: boom
└─ last  stopped
`,
  );
});
