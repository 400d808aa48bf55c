import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { configMachine, type ConfigEntry } from '#troupe/core/connectors/config-machine.js';
import { parseUnitKey, type TargetState } from '#troupe/core/model.js';
import { SimpleCluster } from './simple-cluster.js';

type Event =
  | { readonly do: 'put'; readonly tasks: number }
  | { readonly do: 'target'; readonly state: TargetState }
  | { readonly do: 'restart' | 'delete' }
  | { readonly do: 'join' | 'die' | 'retire' | 'drain' | 'undrain'; readonly node: string }
  /** The nodes do so many things. */
  | { readonly do: 'steps'; readonly count: number };

const node = fc.constantFrom('n1', 'n2', 'n3');
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ do: fc.constant('put' as const), tasks: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    do: fc.constant('target' as const),
    state: fc.constantFrom('RUNNING' as const, 'PAUSED' as const, 'STOPPED' as const),
  }),
  fc.record({ do: fc.constantFrom('restart' as const, 'delete' as const) }),
  fc.record({
    do: fc.constantFrom(
      'join' as const,
      'die' as const,
      'retire' as const,
      'drain' as const,
      'undrain' as const,
    ),
    node,
  }),
  fc.record({ do: fc.constant('steps' as const), count: fc.integer({ min: 1, max: 12 }) }),
);

/** A connector that is changed over and over: each config has a number, and so has each plan made from it. */
class ChangingConnector {
  readonly cluster: SimpleCluster;
  readonly #state = configMachine.initial();
  #offset = 10_000;
  #requests = 0;
  /** What each task that runs was started with. */
  readonly started = new Map<string, string>();

  constructor(choose: (bound: number) => number) {
    this.cluster = new SimpleCluster(choose, this.#state.connectors);
    this.cluster.planned = (name, epoch) => {
      const entry = this.#state.connectors.get(name);
      if (entry === undefined) return;
      const plan = { planned: entry.config['request'] ?? '' };
      const configs = Array.from({ length: Number(entry.config['tasks']) }, () => plan);
      this.#apply({ type: 'TASKS', name, connectorVersion: entry.version, configs, epoch });
    };
    this.cluster.onStart = (unit) => {
      const { connector, task } = parseUnitKey(unit);
      const entry = this.#state.connectors.get(connector);
      const planned = entry?.tasks?.configs[task ?? 0]?.['planned'] ?? 'none';
      assert.equal(planned, entry?.config['request'], `${unit} starts with an old plan`);
      this.started.set(unit, planned);
    };
  }

  happen(event: Event): void {
    const { cluster } = this;
    switch (event.do) {
      case 'put': {
        this.#requests += 1;
        const config = { request: String(this.#requests), tasks: String(event.tasks) };
        this.#apply({ type: 'CONNECTOR', name: 'a', config });
        break;
      }
      case 'target':
        this.#apply({ type: 'TARGET', name: 'a', state: event.state });
        break;
      case 'restart':
        this.#apply({ type: 'RESTART', name: 'a', connector: true, tasks: [0, 1, 2, 3] });
        break;
      case 'delete':
        this.#apply({ type: 'DELETE', name: 'a' });
        break;
      case 'join':
        if (!cluster.nodes.has(event.node)) cluster.join(event.node);
        break;
      case 'die':
        cluster.leave(event.node);
        break;
      case 'retire':
        cluster.retire(event.node);
        break;
      case 'drain':
      case 'undrain':
        cluster.drain(event.node, event.do === 'drain');
        break;
      case 'steps':
        for (let i = 0; i < event.count && cluster.step(); i += 1);
    }
  }

  /** The last request as a user knows it; null: the connector is not there, or is STOPPED. */
  get wanted(): { readonly request: string; readonly tasks: number } | null {
    const entry = this.#state.connectors.get('a');
    if (entry === undefined || entry.targetState === 'STOPPED') return null;
    return { request: entry.config['request'] ?? '', tasks: Number(entry.config['tasks']) };
  }

  #apply(entry: ConfigEntry): void {
    this.#offset += 1;
    const meta = { offset: this.#offset, timestamp: 0, writer: { node: 'user', incarnation: 'user' } };
    configMachine.apply(this.#state, entry, meta);
  }
}

const numbers = fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 });

test('whatever is changed, stopped, resumed, restarted, deleted, scaled and moved: the tasks that run are those of the newest config', () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 3, maxLength: 25 }), numbers, (events, order) => {
      let at = 0;
      const changing = new ChangingConnector(
        (bound) => (order[at++ % order.length] ?? 0) % Math.max(1, bound),
      );
      changing.cluster.join('n1');
      for (const each of events) changing.happen(each);
      changing.cluster.settle();
      if (changing.cluster.open.length === 0) return;
      const { wanted } = changing;
      const running = [...changing.cluster.nodes.values()]
        .flatMap((each) => [...each.running.keys()])
        .filter((unit) => parseUnitKey(unit).task !== null)
        .sort();
      const expected = Array.from({ length: wanted?.tasks ?? 0 }, (_, task) => `a/${task}`);
      assert.deepEqual(running, expected);
      for (const unit of running) assert.equal(changing.started.get(unit), wanted?.request);
    }),
    { numRuns: 2000 },
  );
});
