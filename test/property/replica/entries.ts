import fc from 'fast-check';
import type { ClusterEntry } from '#troupe/core/cluster/cluster-machine.js';
import type { ConfigEntry } from '#troupe/core/connectors/config-machine.js';
import type { Writer } from '#troupe/core/replica/envelope.js';
import type { PositionEntry } from '#troupe/core/progress/progress-machine.js';

/** Few names and numbers, so that entries meet. */
const NODES = ['n1', 'n2', 'n3'];
export const UNITS = ['a', 'a/0', 'a/1', 'b/0'];

export const writer: fc.Arbitrary<Writer> = fc.record({
  node: fc.constantFrom(...NODES),
  incarnation: fc.constantFrom('i1', 'i2'),
});

const small = fc.integer({ min: 0, max: 8 });
const unit = fc.constantFrom(...UNITS);
const nodeRef = fc.record({ id: fc.constantFrom(...NODES), incarnation: fc.constantFrom('i1', 'i2') });

export function clusterEntry({ node, incarnation }: Writer): fc.Arbitrary<ClusterEntry> {
  const self = { id: node, incarnation };
  return fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        type: fc.constant('ONLINE' as const),
        member: fc
          .boolean()
          .map((joining) => ({ ...self, restUrl: 'http://x', joinedAt: 1, heartbeatAt: 1, joining })),
      }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('ALIVE' as const) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('READY' as const) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('OFFLINE' as const) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('EVICT' as const), node: nodeRef }) },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant('DRAIN' as const),
        node: fc.constantFrom(...NODES),
        drained: fc.boolean(),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record(
        { type: fc.constant('CLAIM' as const), unit, generation: small, plan: small },
        { requiredKeys: ['type', 'unit', 'generation'] },
      ),
    },
    { weight: 4, arbitrary: fc.record({ type: fc.constant('RELEASE' as const), unit, epoch: small }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('ACQUIT' as const), unit, epoch: small }) },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant('QUARANTINE' as const),
        unit,
        generation: small,
        deaths: small,
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant('STATUS' as const),
        status: fc.record({
          unit,
          node: fc.constant(self),
          epoch: small,
          state: fc.constantFrom('RUNNING' as const, 'FAILED' as const),
          trace: fc.constant(null),
          stalled: fc.constant(null),
        }),
      }),
    },
  );
}

const name = fc.constantFrom('a', 'b', '__proto__');
const config = fc.dictionary(fc.constantFrom('k', 'l'), fc.constantFrom('1', '2'));

const signalId = fc.constantFrom('s1', 's2', 's3');

export const configEntry: fc.Arbitrary<ConfigEntry> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record(
      {
        type: fc.constant('CONNECTOR' as const),
        name,
        config,
        expectedVersion: fc.option(small),
        unlessDeleted: fc.boolean(),
        boot: fc.constantFrom('h1', 'h2'),
      },
      { requiredKeys: ['type', 'name', 'config'] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('TARGET' as const),
      name,
      state: fc.constantFrom('RUNNING', 'PAUSED', 'STOPPED'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('DELETE' as const), name }) },
  {
    weight: 4,
    arbitrary: fc.record(
      {
        type: fc.constantFrom('TASKS' as const, 'SETTINGS' as const),
        name,
        connectorVersion: small,
        configs: fc.array(config, { maxLength: 3 }),
        epoch: small,
      },
      { requiredKeys: ['type', 'name', 'connectorVersion', 'configs'] },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('RESTART' as const),
      name,
      connector: fc.boolean(),
      tasks: fc.array(small, { maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('REPLAN' as const), name }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('TOPICS' as const),
      name,
      topics: fc.option(fc.array(fc.constantFrom('t', 'u', 'v'), { maxLength: 3 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('SIGNAL' as const),
      name,
      id: signalId,
      signal: fc.record({ type: fc.constantFrom('t', 'u'), data: fc.constantFrom(null, 1, 'x') }),
      to: fc.oneof(fc.constantFrom('all' as const, 'connector' as const, 'tasks' as const), small),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('ANSWER' as const),
      name,
      id: signalId,
      unit,
      answer: fc.oneof(
        fc.record({
          ok: fc.constant(true as const),
          answer: fc.constantFrom(null, 1),
          node: fc.constant('n'),
        }),
        fc.record({
          ok: fc.constant(false as const),
          code: fc.constant('C'),
          message: fc.string(),
          node: fc.constant('n'),
        }),
      ),
      replan: fc.boolean(),
    }),
  },
);

const item = fc.record({
  partition: fc.record({ file: fc.constantFrom('x', 'y') }),
  position: fc.record({ at: fc.nat(100) }),
});

const tail = fc.record({ topic: fc.constantFrom('t', 'u'), queue: small, offset: small });

export const positionEntry: fc.Arbitrary<PositionEntry> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: fc.constant('FENCE' as const), unit, epoch: small }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('PROGRESS' as const),
      unit,
      epoch: small,
      items: fc.array(item, { maxLength: 3 }),
      tails: fc.array(tail, { maxLength: 2 }),
      left: fc.array(fc.tuple(small, small), { maxLength: 2 }),
      retired: fc.array(fc.constantFrom('{"file":"x"}', '{"file":"y"}'), { maxLength: 1 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('DROP' as const), connector: fc.constantFrom('a', 'b') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('RESET' as const),
      connector: fc.constantFrom('a', 'b'),
      items: fc.option(fc.array(item, { maxLength: 2 })),
    }),
  },
);
