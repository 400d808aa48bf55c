import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assignQueues } from '#troupe/core/progress/queue-assignment.js';

const topics = fc
  .dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.integer({ min: 1, max: 6 }), { maxKeys: 8 })
  .map((found) => new Map(Object.entries(found).sort()));
const taskCount = fc.integer({ min: 1, max: 5 });

function deal(
  known: ReadonlyMap<string, number>,
  changing: boolean,
  tasks: number,
  index: number,
): readonly string[] {
  const dealt = assignQueues({ topics: known, changing, tasks, index });
  return dealt.map(({ topic, queue }) => `${topic}/${queue}`);
}

test('every queue is read by exactly one task, and tasks of a fixed list have as many as can be', () => {
  fc.assert(
    fc.property(topics, taskCount, fc.boolean(), (known, tasks, changing) => {
      const shares = Array.from({ length: tasks }, (_, index) => deal(known, changing, tasks, index));
      const all = [...known].flatMap(([topic, queues]) =>
        Array.from({ length: queues }, (_, queue) => `${topic}/${queue}`),
      );
      assert.deepEqual(shares.flat().sort(), all.sort());
      const sizes = shares.map((share) => share.length);
      if (!changing) assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, String(sizes));
    }),
  );
});

test('tasks that know different topics of a pattern never read the same queue, and keep what they had', () => {
  fc.assert(
    fc.property(topics, topics, taskCount, (before, more, tasks) => {
      const after = new Map([...more, ...before].sort());
      const owner = new Map<string, number>();
      for (const known of [before, after])
        for (let index = 0; index < tasks; index += 1)
          for (const queue of deal(known, true, tasks, index))
            assert.equal(owner.set(queue, owner.get(queue) ?? index).get(queue), index);
    }),
  );
});
