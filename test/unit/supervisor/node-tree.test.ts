import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadParameters } from '#troupe/core/parameters/parameters.js';
import { nodeTree } from '#troupe/supervisor/node-tree.js';

test('a node that listens on an IPv6 address tells the cluster a URL that can be used', () => {
  const argv = ['--set', 'httpHost=::1', '--set', 'httpPort=8082'];
  const loaded = loadParameters({ argv, env: {}, readFile: () => '', cwd: '/' });
  assert.ok(loaded.ok && loaded.action === 'run', JSON.stringify(loaded));
  const tree = JSON.stringify(nodeTree(loaded.parameters, { version: '1' }));
  assert.match(tree, /"restUrl":"http:\/\/\[::1\]:8082"/);
});
