import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ActorSpec, ExitReason, Strategy, SupervisorSpec } from '#troupe/actors/kernel/protocol.js';
import type { Runner, RunnerEvents } from '#troupe/supervisor/runner.js';
import { SupervisorNode, type SupervisorWorld } from '#troupe/supervisor/supervisor-node.js';

const NORMAL: ExitReason = { code: 'NORMAL', message: 'stopped' };
const CRASH: ExitReason = { code: 'CRASH', message: 'crashed' };
const STATIC = ['a', 'b', 'c'];

/** A thread that does nothing by itself: the property says when it starts and ends. */
class FakeThread implements Runner {
  readonly id: string;
  readonly events: RunnerEvents;
  state: 'starting' | 'running' | 'stopping' | 'gone' = 'starting';

  constructor(id: string, events: RunnerEvents) {
    this.id = id;
    this.events = events;
  }

  stop(): void {
    if (this.state === 'gone') return;
    this.state = 'stopping';
    queueMicrotask(this.events.stopping);
  }

  describe(): object {
    return {};
  }
}

/** Everything that a supervisor does passes here, where it is checked. */
class World implements SupervisorWorld {
  readonly strategy: Strategy;
  readonly threads = new Map<string, FakeThread>();
  readonly timers = new Set<{ at: number; action: () => void }>();
  readonly started = new Set<string>();
  clock = 0;
  exit: ExitReason | null = null;

  constructor(strategy: Strategy) {
    this.strategy = strategy;
  }

  makeRunner(spec: { id: string }, _incarnation: number, events: RunnerEvents): Runner {
    assert.ok(!this.threads.has(spec.id), `two threads of ${spec.id} at a time`);
    assert.equal(this.exit, null, 'started after the end');
    const index = STATIC.indexOf(spec.id);
    for (const earlier of STATIC.slice(0, Math.max(index, 0))) {
      const ready = this.strategy === 'one_for_one' ? this.started.has(earlier) : this.#isRunning(earlier);
      assert.ok(ready, `${spec.id} was started before ${earlier}`);
    }
    if (this.strategy === 'rest_for_one') {
      const later = STATIC.slice(index + 1).filter((id) => this.threads.has(id));
      assert.deepEqual(later, [], `${spec.id} was started while later ones still ran`);
    }
    const thread = new FakeThread(spec.id, events);
    this.threads.set(spec.id, thread);
    return thread;
  }

  #isRunning(id: string): boolean {
    return this.threads.get(id)?.state === 'running';
  }

  /** Ends a thread, as itself or as it was told. */
  end(thread: FakeThread): void {
    const reason = thread.state === 'stopping' ? NORMAL : CRASH;
    thread.state = 'gone';
    this.threads.delete(thread.id);
    thread.events.exited(reason);
  }

  nextIncarnation(): number {
    return 1;
  }

  forget(): void {
    // Nothing is counted here.
  }

  emit(): void {
    // Nobody listens.
  }

  now(): number {
    return this.clock;
  }

  random(): number {
    return 0.5;
  }

  schedule(delayMs: number, action: () => void): () => void {
    const timer = { at: this.clock + delayMs, action };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  pass(ms: number): void {
    this.clock += ms;
    for (const timer of [...this.timers].filter(({ at }) => at <= this.clock)) {
      if (this.timers.delete(timer)) timer.action();
    }
  }
}

function spec(id: string, whenExhausted: ActorSpec['whenExhausted'] = 'escalate'): ActorSpec {
  return {
    kind: 'actor',
    id,
    module: 'none',
    params: null,
    peers: [],
    restart: 'permanent',
    whenExhausted,
    intensity: { restarts: 2, periodMs: 500 },
    backoff: { minMs: 10, maxMs: 80, jitter: 0.5 },
    startDeadlineMs: 1000,
    stopDeadlineMs: 1000,
    beatDeadlineMs: 1000,
    heap: { maxOldMb: 32, softLimit: 1 },
  };
}

function make(strategy: Strategy, restarts: number): { world: World; node: SupervisorNode } {
  const world = new World(strategy);
  const root: SupervisorSpec = {
    kind: 'supervisor',
    id: 'root',
    strategy,
    intensity: { restarts, periodMs: 500 },
    restart: 'permanent',
    backoff: { minMs: 10, maxMs: 80, jitter: 0.5 },
    children: STATIC.map((id) => spec(id)),
  };
  const node = new SupervisorNode(root, world, {
    started: () => undefined,
    stopping: () => undefined,
    stuck: () => undefined,
    exited: (reason) => {
      assert.equal(world.exit, null, 'it exits once');
      assert.equal(world.threads.size, 0, 'it exits when no thread is left');
      world.exit = reason;
    },
  });
  return { world, node };
}

type Step =
  | { readonly do: 'start' | 'end'; readonly which: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'add' | 'remove'; readonly id: string };

const added = fc.constantFrom('x', 'y', 'z');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('start' as const), which: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(100) }) },
  fc.record({ do: fc.constantFrom('add' as const, 'remove' as const), id: added }),
);

async function perform(action: Step, world: World, node: SupervisorNode): Promise<void> {
  const threads = [...world.threads.values()];
  if (action.do === 'pass') world.pass(action.ms);
  else if (action.do === 'add' && !node.children.some(({ id }) => id === action.id)) {
    node.startChild(spec(action.id, 'giveUp')).catch((error: unknown) => {
      assert.ok(
        (error as { code?: string }).code === 'SUPERVISOR_STOPPING' || world.strategy === 'rest_for_one',
      );
    });
  } else if (action.do === 'remove') void node.stopChild(action.id);
  else if ('which' in action) {
    const thread = threads[action.which % Math.max(threads.length, 1)];
    if (action.do === 'end' && thread) world.end(thread);
    else if (thread?.state === 'starting') {
      thread.state = 'running';
      world.started.add(thread.id);
      thread.events.started();
    }
  }
  await new Promise((resolve) => setImmediate(resolve));
}

/** Lets everything that has been asked for happen, with nothing going wrong any more. */
async function settle(world: World): Promise<void> {
  for (let round = 0; round < 40; round += 1) {
    for (const thread of [...world.threads.values()]) {
      if (thread.state === 'stopping') world.end(thread);
      else if (thread.state === 'starting') {
        thread.state = 'running';
        world.started.add(thread.id);
        thread.events.started();
      }
    }
    world.pass(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

for (const strategy of ['one_for_one', 'rest_for_one'] as const) {
  test(`${strategy}: whatever happens in whatever order, it ends up running or given up, and stops clean`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(4), async (steps, restarts) => {
        const { world, node } = make(strategy, restarts);
        for (const each of steps) await perform(each, world, node);
        await settle(world);
        const states = node.children.map(({ id, state }) => `${id} ${state}`);
        if (world.exit === null) {
          for (const id of STATIC) assert.ok(states.includes(`${id} running`), states.join());
          for (const { dynamic, state } of node.children) {
            assert.ok(state === 'running' || (dynamic && state === 'failed'), states.join());
          }
        } else {
          assert.match(world.exit.message, /root gave up/);
        }
        // Again at some moment in the middle of things: a stop ends the waits at once.
        for (const each of steps) await perform(each, world, node);
        node.stop();
        assert.equal(world.timers.size, 0, 'no timer is left');
        await settle(world);
        assert.notEqual(world.exit, null, 'it stops');
      }),
      { numRuns: 150 },
    );
  });
}

test('children that were added stop all at once, before the static ones, which stop one by one', async () => {
  const { world, node } = make('one_for_one', 1);
  await settle(world);
  for (const id of ['x', 'y']) void node.startChild(spec(id));
  await settle(world);
  node.stop();
  const stopping = (): string[] =>
    [...world.threads.values()].filter(({ state }) => state === 'stopping').map(({ id }) => id);
  assert.deepEqual(stopping(), ['x', 'y']);
  for (const expected of [['c'], ['b'], ['a'], []]) {
    for (const id of stopping()) world.end(world.threads.get(id)!);
    assert.deepEqual(stopping(), expected);
  }
});

test('a child whose start hangs longer each time than the period allows for is given up all the same', async () => {
  const { world, node } = make('one_for_one', 3);
  await settle(world);
  void node.startChild(spec('x', 'giveUp'));
  let starts = 0;
  for (let round = 0; round < 50 && node.children.at(-1)?.state !== 'failed'; round += 1) {
    const thread = world.threads.get('x');
    if (thread !== undefined) {
      starts += 1;
      world.pass(600);
      world.end(thread);
    }
    world.pass(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(node.children.at(-1)?.state, 'failed');
  assert.equal(starts, 3);
});
