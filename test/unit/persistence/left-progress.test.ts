import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeftProgressDrops } from '#troupe/actors/persistence/left-progress-drops.js';
import { positionMachine, partitionsOf, type PositionEntry } from '#troupe/core/progress/progress-machine.js';
import type { ConnectorEntry } from '#troupe/core/model.js';
import { LOG } from '../../simulation/node-settings.js';

const META = { offset: 1, timestamp: 1, writer: { node: 'n', incarnation: 'i' } };
const MAX = 10;

class Positions {
  readonly inner = positionMachine.initial();

  apply(entry: PositionEntry): void {
    positionMachine.apply(this.inner, entry, META);
  }

  /** A task of the connector has written so many. */
  write(connector: string, count: number, epoch = 1): void {
    const items = Array.from({ length: count }, (_, row) => ({ partition: { row }, position: {} }));
    this.apply({ type: 'PROGRESS', unit: `${connector}/0`, epoch, items });
  }

  of(connector: string): number {
    return partitionsOf(this.inner, connector);
  }
}

function dropsOf(positions: Positions, connectors: () => readonly string[] | null): LeftProgressDrops {
  const replica = {
    state: positions,
    submit: (entry: unknown) => {
      const decoded = positionMachine.decode(JSON.parse(JSON.stringify(entry)));
      assert.ok(decoded !== null);
      positions.apply(decoded);
      return Promise.resolve(null);
    },
  };
  const entry = (name: string): ConnectorEntry => ({
    name,
    config: {},
    targetState: 'RUNNING',
    version: 1,
    restart: null,
    tasks: null,
  });
  return new LeftProgressDrops([replica], MAX, () => connectors()?.map(entry) ?? null, LOG);
}

test('of what deleted connectors left the largest goes at the second look, and only beyond the bound', async (t) => {
  const positions = new Positions();
  for (const [name, count] of [
    ['there', 50],
    ['large', 30],
    ['small', 8],
  ] as const)
    positions.write(name, count);
  let connectors: readonly string[] | null = null;
  const drops = dropsOf(positions, () => connectors);
  t.after(() => {
    drops.stop();
  });
  await drops.check();
  await drops.check();
  assert.equal(positions.of('large'), 30, 'the connectors are not known yet');
  connectors = ['there'];
  await drops.check();
  assert.equal(positions.of('large'), 30);
  await drops.check();
  assert.deepEqual([positions.of('there'), positions.of('large'), positions.of('small')], [50, 0, 8]);
});

test('what a connector left stays when it was made anew before the drop is read', async (t) => {
  const positions = new Positions();
  positions.write('back', 30);
  const drops = dropsOf(positions, () => []);
  t.after(() => {
    drops.stop();
  });
  await drops.check();
  const late: PositionEntry = { type: 'DROP', connector: 'back', upTo: 1 };
  // Somebody makes it anew on another node, and its task was opened.
  positions.apply({ type: 'FENCE', unit: 'back/0', epoch: 7 });
  positions.apply(late);
  assert.equal(positions.of('back'), 30);
});
