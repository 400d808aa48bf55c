import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RebalancerParams } from '#troupe/actors/rebalancer/params.js';
import { taskParams, taskSpec } from '#troupe/actors/rebalancer/task-spec.js';
import type { ActorSpec, ChildSpec, SupervisorSpec } from '#troupe/actors/kernel/protocol.js';
import { loadParameters } from '#troupe/core/parameters/parameters.js';
import { PARAMETERS } from '#troupe/core/parameters/parameters-table.js';
import { checkActorSpec, checkTree } from '#troupe/supervisor/check-spec.js';
import { nodeTree } from '#troupe/supervisor/node-tree.js';

/** Null: these parameters do not go together. */
function treeOf(settings: Readonly<Record<string, string>>): SupervisorSpec | null {
  const argv = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const loaded = loadParameters({ argv, env: {}, cwd: '/srv/node', readFile: () => '' });
  if (!loaded.ok) {
    assert.ok(
      loaded.errors.every((error) => error.startsWith('CONFLICTING_PARAMETERS')),
      loaded.errors.join(),
    );
    return null;
  }
  assert.ok(loaded.action === 'run');
  return nodeTree(loaded.parameters, { version: 'test' });
}

function actorOf(id: string, tree: SupervisorSpec | null): ActorSpec {
  const actors = (spec: ChildSpec): readonly ActorSpec[] =>
    spec.kind === 'actor' ? [spec] : spec.children.flatMap(actors);
  const found = tree === null ? undefined : actors(tree).find((actor) => actor.id === id);
  assert.ok(found !== undefined);
  return found;
}

test('a cold start may wait for other nodes as long as it was told to', () => {
  for (const waitMs of [0, 600_000]) {
    const { startDeadlineMs } = actorOf('config-sync', treeOf({ 'cold.start.wait.ms': String(waitMs) }));
    assert.ok(startDeadlineMs >= waitMs + 60_000, `${startDeadlineMs} ms for a wait of ${waitMs} ms`);
  }
});

test('whatever value a parameter is allowed, the supervisor takes what is made of it', () => {
  for (const [key, definition] of PARAMETERS) {
    if (!('min' in definition)) continue;
    for (const value of [definition.min, definition.max]) {
      const tree = treeOf({ [key]: String(value) });
      if (tree === null) continue;
      checkTree(tree);
      const params = actorOf('rebalancer', tree).params as RebalancerParams;
      const task = taskParams(
        { unit: 'c/0', epoch: 1, generation: 1, node: { id: 'n', incarnation: 'i' } },
        {
          name: 'c',
          config: {},
          targetState: 'RUNNING',
          generation: 1,
          configOffset: 1,
          tasks: { generation: 1, epoch: 1, configs: [{}] },
        } as unknown as Parameters<typeof taskParams>[1],
        params,
        { alive: 0 },
      );
      assert.ok(task);
      checkActorSpec(taskSpec(task, params));
    }
  }
});
