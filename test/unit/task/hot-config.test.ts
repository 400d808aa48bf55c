import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HotConfig, type BuiltSettings } from '#troupe/actors/task/hot-config.js';
import type { HotSettings } from '#troupe/actors/task/hot-settings.js';
import type { TransformChain } from '#troupe/plugins/transform-chain.js';
import { loadedSource } from '../../support/task-parts.js';
import { until } from '../../support/wait.js';

type Chain = TransformChain & { readonly of: string };

const chainOf = (of: string): Chain => ({
  of,
  size: 1,
  apply: (record) => record,
  close: () => Promise.resolve(),
});

function nameOf(chain: TransformChain | null): string {
  return chain !== null && 'of' in chain ? String(chain.of) : 'none';
}

/** Configs are `{chain: …}`; one that is built waits for the test, which says how it ends. */
class Played {
  readonly did: string[] = [];
  readonly settings: HotSettings = {
    ...loadedSource(() => assert.fail('nothing starts')),
    chain: chainOf('1'),
  };
  readonly building: { readonly of: string; readonly end: (error?: Error) => void }[] = [];
  readonly changes = new HotConfig(
    {
      gate: { hold: () => void this.did.push('hold'), release: () => void this.did.push('release') },
      log: { info: () => undefined, warn: () => undefined },
      report: ({ running, refused }) =>
        void this.did.push(`runs ${running}${refused ? `, not ${refused.version}` : ''}`),
      build: (config, present) => this.#build(config['chain'] ?? '', present),
      close: (chain) => Promise.resolve(void this.did.push(`close ${nameOf(chain)}`)),
      onTaken: () => undefined,
    },
    1,
  );

  load(): void {
    this.changes.loaded({ kind: 'source', config: { chain: '1' }, settings: this.settings });
  }

  hear(version: number, chain = String(version)): void {
    this.changes.heard({ version, config: { chain } });
  }

  get chain(): string {
    return nameOf(this.settings.chain);
  }

  async built(of: string, error?: Error): Promise<void> {
    const { end } = await until(`${of} is built`, () => this.building.find((each) => each.of === of));
    this.building.splice(
      this.building.findIndex((each) => each.of === of),
      1,
    );
    end(error);
    await new Promise(setImmediate);
  }

  #build(of: string, present: BuiltSettings): Promise<BuiltSettings> {
    const before = present.settings.chain;
    return new Promise((resolve, reject) => {
      const end = (error?: Error): void => {
        const kept = present.config['chain'] === of;
        const chain = kept ? before : chainOf(of);
        if (error) reject(error);
        else resolve({ kind: 'source', config: { chain: of }, settings: { ...this.settings, chain } });
      };
      this.building.push({ of, end });
    });
  }
}

test('a newer config holds the loop once it is built, and is used when the loop takes it', async () => {
  const played = new Played();
  played.load();
  played.changes.heard(undefined);
  played.hear(2);
  assert.deepEqual(played.did, []);
  await played.built('2');
  assert.deepEqual([played.did, played.chain, played.changes.isDue], [['hold'], '1', true]);
  played.changes.take();
  assert.deepEqual(played.did, ['hold', 'close 1', 'runs 2', 'release']);
  assert.deepEqual([played.chain, played.changes.isDue], ['2', false]);
});

test('a thread that is started with an older config moves nothing before it has the newer one', async () => {
  const played = new Played();
  played.hear(2);
  assert.deepEqual(played.did, ['hold']);
  played.load();
  await played.built('2');
  played.changes.take();
  assert.deepEqual(played.did, ['hold', 'hold', 'close 1', 'runs 2', 'release']);
});

test('what cannot be built is refused once, said, and holds up nothing; the next one is taken', async () => {
  const played = new Played();
  played.load();
  played.hear(2);
  await played.built('2', new Error('no'));
  played.hear(2);
  assert.deepEqual(played.did, ['hold', 'runs 1, not 2', 'release']);
  assert.equal(played.building.length, 0);
  played.hear(3);
  await played.built('3');
  played.changes.take();
  assert.deepEqual(played.changes.status, { running: 3 });
});

test('a refusal is not forgotten when an older config is taken after it', async () => {
  const played = new Played();
  played.load();
  played.changes.heard(undefined);
  played.hear(2);
  await played.built('2');
  played.hear(3);
  await played.built('3', new Error('no'));
  assert.ok(!played.did.includes('release'));
  played.changes.take();
  assert.deepEqual(played.changes.status, { running: 2, refused: { version: 3, reason: 'no' } });
});

test('of two that come before the loop takes one, the older ends unused', async () => {
  const played = new Played();
  played.load();
  played.changes.heard(undefined);
  played.hear(2);
  await played.built('2');
  played.hear(3);
  await played.built('3');
  played.changes.take();
  assert.deepEqual(played.did, ['hold', 'close 2', 'hold', 'close 1', 'runs 3', 'release']);
  assert.equal(played.chain, '3');
});

test('what was kept of the one before, and has ended since, is built anew', async () => {
  const played = new Played();
  played.load();
  played.changes.heard(undefined);
  played.hear(2);
  await played.built('2');
  // As it was at first: its chain is kept, and meanwhile the loop takes another and ends that.
  played.hear(3, '1');
  played.changes.take();
  assert.ok(played.did.includes('close 1'));
  await played.built('1');
  assert.equal(played.changes.isDue, false);
  await played.built('1');
  played.changes.take();
  assert.deepEqual([played.chain, played.changes.status], ['1', { running: 3 }]);
  assert.deepEqual(
    played.did.filter((act) => act.startsWith('close')),
    ['close 1', 'close 2'],
  );
});

test('a task that ends closes what it uses, what it has built, and what it is building', async () => {
  const played = new Played();
  played.load();
  played.changes.heard(undefined);
  played.hear(2);
  await played.built('2');
  played.hear(3);
  await played.changes.close();
  await played.built('3');
  assert.deepEqual(
    played.did.filter((act) => act.startsWith('close')),
    ['close 2', 'close 1', 'close 3'],
  );
});
