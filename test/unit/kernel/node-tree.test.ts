import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActorSpec, ChildSpec } from '#troupe/actors/kernel/protocol.js';
import { loadParameters } from '#troupe/core/parameters/parameters.js';
import { nodeTree } from '#troupe/supervisor/node-tree.js';

function actorOf(id: string, settings: Readonly<Record<string, string>>): ActorSpec {
  const argv = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const loaded = loadParameters({ argv, env: {}, cwd: '/srv/node', readFile: () => '' });
  assert.ok(loaded.ok && loaded.action === 'run');
  const actors = (spec: ChildSpec): readonly ActorSpec[] =>
    spec.kind === 'actor' ? [spec] : spec.children.flatMap(actors);
  const found = actors(nodeTree(loaded.parameters, { version: 'test' })).find((actor) => actor.id === id);
  assert.ok(found !== undefined);
  return found;
}

test('a cold start may wait for other nodes as long as it was told to', () => {
  for (const waitMs of [0, 600_000]) {
    const { startDeadlineMs } = actorOf('config-sync', { 'cold.start.wait.ms': String(waitMs) });
    assert.ok(startDeadlineMs >= waitMs + 60_000, `${startDeadlineMs} ms for a wait of ${waitMs} ms`);
  }
});
