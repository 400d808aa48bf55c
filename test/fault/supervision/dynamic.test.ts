import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActorSpec, SystemEvent } from '#troupe/actors/kernel/protocol.js';
import { until } from '../../support/wait.js';
import { actor, supervisor, Troupe } from './troupe.js';

const tree = [
  supervisor('tasks', []),
  supervisor('fixed', [actor('static', 'counter')], { strategy: 'rest_for_one' }),
];

async function start(troupe: Troupe, spec: unknown, below = 'tasks'): Promise<unknown> {
  await troupe.system.started;
  return troupe.perform({ do: 'startChild', supervisor: below, spec });
}

test('an actor adds children, sees them, watches them, asks them and stops them', async () => {
  await using troupe = new Troupe(tree, { peers: ['counter', 'victim'] });
  await troupe.perform({ do: 'watch', supervisor: 'tasks' });
  await start(troupe, actor('counter', 'counter'));
  await start(
    troupe,
    actor('victim', 'victim', {
      params: { start: 'throws' },
      whenExhausted: 'giveUp',
      intensity: { restarts: 0, periodMs: 1000 },
    }),
  );
  assert.deepEqual(await until('it answers', () => troupe.ask('counter', 'next')), {
    incarnation: 1,
    count: 1,
  });

  const children = (await troupe.perform({ do: 'children', supervisor: 'tasks' })) as {
    id: string;
    state: string;
    lastExit?: object;
    params: unknown;
  }[];
  assert.deepEqual(
    children.map(({ id, state, params }) => ({ id, state, params })),
    [
      { id: 'counter', state: 'running', params: null },
      { id: 'victim', state: 'failed', params: { start: 'throws' } },
    ],
  );

  await troupe.perform({ do: 'stopChild', id: 'victim' });
  await troupe.perform({ do: 'stopChild', id: 'counter' });
  await troupe.perform({ do: 'stopChild', id: 'never existed' });
  assert.deepEqual(await troupe.perform({ do: 'children', supervisor: 'tasks' }), []);
  await assert.rejects(troupe.ask('counter', 'next'), { code: 'ACTOR_DOWN' });
  const seen = await until('it has seen all', async () => {
    const events = (await troupe.perform({ do: 'watched' })) as SystemEvent[];
    return events.length >= 3 && events;
  });
  assert.deepEqual(
    seen.map((event) => `${event.id} ${event.type === 'started' ? event.type : event.reason.code}`),
    ['counter started', 'victim START_FAILED', 'counter NORMAL'],
  );
});

test('a child that was stopped may be added again, and starts as a new one', async () => {
  await using troupe = new Troupe(tree, { peers: ['counter'] });
  for (let round = 0; round < 2; round += 1) {
    await start(troupe, actor('counter', 'counter'));
    assert.deepEqual(await until('it answers', () => troupe.ask('counter', 'next')), {
      incarnation: 1,
      count: 1,
    });
    await troupe.perform({ do: 'stopChild', id: 'counter' });
  }
});

test('a child is stopped at any moment: while it starts, while it backs off', async () => {
  await using troupe = new Troupe(tree);
  const backoff = { minMs: 60_000, maxMs: 60_000, jitter: 0 };
  const begun = start(
    troupe,
    actor('starting', 'victim', { params: { start: 'hangs' }, stopDeadlineMs: 100 }),
  );
  await troupe.reaches('starting', 'starting');
  await troupe.perform({ do: 'stopChild', id: 'starting' });
  await begun;
  await start(troupe, actor('waiting', 'victim', { params: { start: 'throws' }, backoff }));
  assert.equal(troupe.node('waiting')?.state, 'backoff');
  await troupe.perform({ do: 'stopChild', id: 'waiting' });
  assert.deepEqual(troupe.node('tasks')?.children, []);
});

test('one child that does not start does not hold up the others', async () => {
  await using troupe = new Troupe(tree);
  const hanging = start(troupe, actor('hangs', 'victim', { params: { start: 'hangs' }, stopDeadlineMs: 50 }));
  await start(troupe, actor('fine', 'counter'));
  assert.equal(troupe.node('hangs')?.state, 'starting');
  await troupe.perform({ do: 'stopChild', id: 'hangs' });
  await hanging;
});

test('added children are gone when their supervisor is started anew', async () => {
  await using troupe = new Troupe(
    [supervisor('rest', [actor('victim', 'victim'), supervisor('tasks', [])], { strategy: 'rest_for_one' })],
    { peers: ['victim'] },
  );
  await start(troupe, actor('counter', 'counter'));
  await troupe.tell('victim', 'fault', { fault: 'throws later' });
  await until('tasks is there again', () => troupe.node('tasks')?.incarnation === 2);
  await troupe.reaches('tasks', 'running');
  assert.deepEqual(troupe.node('tasks')?.children, []);
  assert.equal(troupe.exits('counter')[0]?.reason.code, 'NORMAL');
});

test('a request that cannot be met is refused with a code, and the message names what is wrong', async () => {
  await using troupe = new Troupe(tree);
  const spec = actor('x', 'counter');
  const cases: readonly [unknown, string, string, RegExp][] = [
    [
      { ...spec, heap: { ...spec.heap, softLimit: 3 } },
      'tasks',
      'BAD_CHILD_SPEC',
      /heap is an object whose softLimit is a number between/,
    ],
    [
      { ...spec, module: undefined },
      'tasks',
      'BAD_CHILD_SPEC',
      /child spec x: expected an object whose module is a non-empty string/,
    ],
    [null, 'tasks', 'BAD_CHILD_SPEC', /without id/],
    [{ ...spec, peers: ['x'] } satisfies ActorSpec, 'tasks', 'BAD_CHILD_SPEC', /own peer/],
    [
      { ...spec, id: 'static' } satisfies ActorSpec,
      'tasks',
      'DUPLICATE_CHILD',
      /there is a child static already/,
    ],
    [
      { ...spec, id: 'root' } satisfies ActorSpec,
      'tasks',
      'DUPLICATE_CHILD',
      /there is a child root already/,
    ],
    [spec, 'nowhere', 'UNKNOWN_SUPERVISOR', /nowhere/],
    [spec, 'fixed', 'NOT_DYNAMIC', /one_for_one only/],
  ];
  for (const [bad, below, remoteCode, message] of cases) {
    await assert.rejects(start(troupe, bad, below), { remoteCode, message });
  }
  await assert.rejects(troupe.perform({ do: 'stopChild', id: 'static' }), { remoteCode: 'NOT_DYNAMIC' });
  await assert.rejects(troupe.perform({ do: 'children', supervisor: 'nowhere' }), {
    remoteCode: 'UNKNOWN_SUPERVISOR',
  });
});

test('an actor reads the live tree and asks for the end of the process', async () => {
  await using troupe = new Troupe(tree);
  await troupe.system.started;
  const seen = await troupe.perform({ do: 'tree' });
  const figures = JSON.stringify(seen);
  for (const field of ['heapUsedBytes', 'heapLimitBytes', 'mailbox', 'threadId', 'upMs']) {
    assert.ok(figures.includes(`"${field}"`), field);
  }
  await until('the loop has been measured', () => typeof troupe.node('static')?.eventLoopUse === 'number');
  await troupe.perform({ do: 'shutdown', reason: 'enough' });
  await until('the reason arrives', () => troupe.shutdowns[0] === 'enough');
});

test('a child that has nothing to do gives up its thread, keeps its place, and is woken as its next incarnation', async () => {
  await using troupe = new Troupe(tree, { peers: ['victim'] });
  await start(troupe, actor('victim', 'victim'));
  for (let incarnation = 1; incarnation <= 3; incarnation += 1) {
    assert.equal(await until('it answers', () => troupe.ask('victim', 'incarnation')), incarnation);
    await troupe.tell('victim', 'fault', { fault: 'has nothing to do' });
    await troupe.reaches('victim', 'passive');
    const [child] = (await troupe.perform({ do: 'children', supervisor: 'tasks' })) as object[];
    assert.deepEqual(child && 'memo' in child && child.memo, { left: incarnation });
    assert.equal(troupe.node('victim')?.threadId, undefined);
    await assert.rejects(troupe.ask('victim', 'incarnation'), { code: 'ACTOR_DOWN' });
    await start(troupe, actor('victim', 'victim', { params: {} }));
    assert.equal(troupe.node('victim')?.state, 'running');
  }
  assert.equal(troupe.node('victim')?.restarts, 0);
  await assert.rejects(start(troupe, actor('victim', 'victim')), { remoteCode: 'DUPLICATE_CHILD' });
});

test('a passive child is stopped, and goes with its supervisor', async () => {
  await using troupe = new Troupe(tree, { peers: ['victim', 'other'] });
  for (const id of ['victim', 'other']) {
    await start(troupe, actor(id, 'victim'));
    await until('it answers', () => troupe.ask(id, 'incarnation'));
    await troupe.tell(id, 'fault', { fault: 'has nothing to do' });
    await troupe.reaches(id, 'passive');
  }
  await troupe.perform({ do: 'stopChild', id: 'victim' });
  assert.deepEqual(
    troupe.node('tasks')?.children?.map(({ id, state }) => `${id} ${state}`),
    ['other passive'],
  );
  await start(troupe, actor('victim', 'victim'));
  assert.equal(await until('it answers', () => troupe.ask('victim', 'incarnation')), 1);
});

test('a child whose stop fails when it wants to rest has crashed, and starts again', async () => {
  await using troupe = new Troupe(tree, { peers: ['victim'] });
  for (const stop of ['throws', 'hangs'] as const) {
    await start(troupe, actor('victim', 'victim', { params: { stop }, stopDeadlineMs: 100 }));
    await until('it answers', () => troupe.ask('victim', 'incarnation'));
    await troupe.tell('victim', 'fault', { fault: 'has nothing to do' });
    await until('it runs again', async () => (await troupe.ask('victim', 'incarnation')) === 2);
    assert.equal(troupe.node('victim')?.lastExit?.code, stop === 'throws' ? 'CRASH' : 'STOP_FORCED');
    await troupe.perform({ do: 'stopChild', id: 'victim' });
  }
});
