import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { queuesOf, type Sharing } from '#troupe/core/progress/queue-assignment.js';

const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 8 });

function queuesNow(topics: ReadonlyMap<string, number>): readonly string[] {
  return [...topics].flatMap(([topic, queues]) =>
    Array.from({ length: queues }, (_, queue) => `${topic}/${queue}`),
  );
}

/** A cluster's tasks of one plan: each knows of the topics what it saw when it started or looked last. */
class Tasks {
  readonly topics = new Map<string, number>();
  readonly #sharing: Sharing;
  readonly #read = new Map<number, readonly string[]>();

  constructor(sharing: Sharing) {
    this.#sharing = sharing;
  }

  stop(task: number): void {
    this.#read.delete(task);
  }

  look(task: number): void {
    const own = queuesOf(this.#sharing, task, this.topics);
    this.#read.set(
      task,
      own.map(({ topic, queue }) => `${topic}/${queue}`),
    );
  }

  /** Queues by who reads them. */
  get read(): readonly string[] {
    return [...this.#read.values()].flat();
  }
}

const change = fc.oneof(
  fc.record({ grow: fc.nat(7), by: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ stop: fc.nat(5) }),
  fc.record({ look: fc.nat(5) }),
);

test('however topics grow and come, and tasks restart and move meanwhile, no queue is read by two, and in the end each by one', () => {
  fc.assert(
    fc.property(
      names,
      fc.nat(8),
      fc.integer({ min: 1, max: 6 }),
      fc.array(change, { maxLength: 40 }),
      (all, known, tasks, changes) => {
        // Those that are not named are matched by a pattern.
        const run = new Tasks({ named: all.slice(0, known).sort(), tasks });
        for (const step of changes) {
          if ('grow' in step) {
            const topic = all[step.grow % all.length] ?? '';
            run.topics.set(topic, (run.topics.get(topic) ?? 0) + step.by);
          } else if ('stop' in step) run.stop(step.stop % tasks);
          else run.look(step.look % tasks);
          assert.equal(new Set(run.read).size, run.read.length, 'a queue with two readers');
        }
        for (let task = 0; task < tasks; task += 1) run.look(task);
        assert.deepEqual([...run.read].sort(), [...queuesNow(run.topics)].sort());
      },
    ),
  );
});

test('a task that looks again keeps every queue that it had', () => {
  fc.assert(
    fc.property(
      names,
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { minLength: 8, maxLength: 8 }),
      (named, tasks, sizes) => {
        const sharing = { named: [...named].sort(), tasks };
        const at = (grown: boolean): readonly (readonly [string, number])[] =>
          named.map((name, i) => [name, (sizes[i]?.[0] ?? 0) + (grown ? (sizes[i]?.[1] ?? 0) : 0)]);
        for (let task = 0; task < tasks; task += 1) {
          const after = new Set(
            queuesOf(sharing, task, at(true)).map(({ topic, queue }) => `${topic}/${queue}`),
          );
          for (const { topic, queue } of queuesOf(sharing, task, at(false)))
            assert.ok(after.has(`${topic}/${queue}`));
        }
      },
    ),
  );
});

test('topics of equal size are spread over the tasks about as evenly as can be', () => {
  fc.assert(
    fc.property(
      names,
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      (named, queues, tasks) => {
        const sharing = { named: [...named].sort(), tasks };
        const shares = Array.from(
          { length: tasks },
          (_, task) =>
            queuesOf(
              sharing,
              task,
              named.map((name) => [name, queues] as const),
            ).length,
        );
        const fair = (named.length * queues) / tasks;
        assert.ok(Math.max(...shares) <= Math.ceil(fair) + 1, String(shares));
        if (named.length === 1 || queues === 1)
          assert.ok(Math.max(...shares) <= Math.ceil(fair), String(shares));
      },
    ),
    { numRuns: 500 },
  );
});
