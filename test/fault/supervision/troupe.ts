/** A real system under test, driven through one of its actors. */
import { randomUUID } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import type {
  ActorId,
  ActorSpec,
  ChildSpec,
  ExitReason,
  SupervisorSpec,
  SystemEvent,
  TreeNode,
} from '#troupe/actors/kernel/protocol.js';
import type { SpareSpec } from '#troupe/supervisor/spare-threads.js';
import { startSystem, type System } from '#troupe/supervisor/system.js';
import { until } from '../../support/wait.js';
import type { Answer, Command, Probed } from './fixtures/driver.js';

const BACKOFF = { minMs: 5, maxMs: 40, jitter: 0.2 };

export function actor(id: ActorId, fixture: string, overrides: Partial<ActorSpec> = {}): ActorSpec {
  return {
    kind: 'actor',
    id,
    module: new URL(`./fixtures/${fixture}.js`, import.meta.url).href,
    params: fixture === 'victim' ? {} : null,
    peers: [],
    restart: 'permanent',
    whenExhausted: 'escalate',
    backoff: BACKOFF,
    startDeadlineMs: 30_000,
    stopDeadlineMs: 30_000,
    beatDeadlineMs: 30_000,
    heap: { maxOldMb: 48, softLimit: 1 },
    ...overrides,
  };
}

export function supervisor(
  id: ActorId,
  children: readonly ChildSpec[],
  overrides: Partial<SupervisorSpec> = {},
): SupervisorSpec {
  return {
    kind: 'supervisor',
    id,
    strategy: 'one_for_one',
    intensity: { restarts: 5, periodMs: 60_000 },
    restart: 'permanent',
    backoff: BACKOFF,
    children,
    ...overrides,
  };
}

export interface SeenEvent {
  readonly supervisor: ActorId;
  readonly event: SystemEvent;
}

export class Troupe {
  readonly system: System;
  readonly events: SeenEvent[] = [];
  readonly givenUp: { readonly line: string; readonly reason: ExitReason }[] = [];
  readonly shutdowns: string[] = [];
  readonly #channel: BroadcastChannel;
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  #driverUp = false;
  #next = 0;

  /** Below the given children stands the driver, with `peers` and the actor whose answers it counts. */
  constructor(
    children: readonly ChildSpec[],
    options: {
      readonly peers?: readonly ActorId[];
      readonly probe?: ActorId;
      readonly root?: Partial<SupervisorSpec>;
      readonly spares?: SpareSpec;
    } = {},
  ) {
    const channel = `test-${randomUUID()}`;
    this.#channel = new BroadcastChannel(channel);
    this.#channel.onmessage = (event) => {
      this.#receive((event as { data: Answer | { command: Command } }).data);
    };
    const driver = actor('driver', 'driver', {
      params: { channel, probe: options.probe ?? null },
      peers: options.peers ?? [],
    });
    this.system = startSystem(supervisor('root', [driver, ...children], options.root), {
      log: { level: 'silent', format: 'json', file: null },
      ...(options.spares === undefined ? {} : { spares: options.spares }),
      onGiveUp: (line, reason) => this.givenUp.push({ line, reason }),
      onShutdown: (reason) => this.shutdowns.push(reason),
    });
    this.system.onEvent((event, supervisorId) => this.events.push({ supervisor: supervisorId, event }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.system.stop('the test is over');
    this.#channel.close();
  }

  async perform(command: Command): Promise<unknown> {
    await until('the driver listens', () => this.#driverUp);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#channel.postMessage({ command, id });
    });
  }

  ask(target: ActorId, kind: string, request: unknown = null, deadlineMs = 30_000): Promise<unknown> {
    return this.perform({ do: 'ask', target, kind, request, deadlineMs, abort: false });
  }

  /** Once the driver has the channel to a target that runs: its own word of that may come a moment later. */
  async tell(target: ActorId, kind: string, payload: unknown = null): Promise<void> {
    await until(`${target} takes "${kind}"`, () => this.perform({ do: 'tell', target, kind, payload }));
  }

  async probed(): Promise<Probed> {
    return (await this.perform({ do: 'probed' })) as Probed;
  }

  async exit(id: ActorId, nth = 1): Promise<SystemEvent & { type: 'exited' }> {
    return until(`exit ${nth} of ${id}`, () => this.exits(id)[nth - 1], 30_000);
  }

  exits(id: ActorId): (SystemEvent & { type: 'exited' })[] {
    return this.events.flatMap(({ event }) => (event.type === 'exited' && event.id === id ? [event] : []));
  }

  node(id: ActorId, root: TreeNode = this.system.tree()): TreeNode | undefined {
    if (root.id === id) return root;
    for (const child of root.children ?? []) {
      const found = this.node(id, child);
      if (found) return found;
    }
    return undefined;
  }

  async reaches(id: ActorId, state: TreeNode['state'], incarnation?: number): Promise<TreeNode> {
    return until(`${id} is ${state} ${incarnation ?? ''}`, () => {
      const node = this.node(id);
      return node?.state === state && (incarnation === undefined || node.incarnation === incarnation)
        ? node
        : null;
    });
  }

  #receive(data: Answer | { command: Command }): void {
    if ('command' in data) return;
    if (data.to === -1) this.#driverUp = true;
    const waiter = this.#waiting.get(data.to);
    if (data.error) waiter?.reject(Object.assign(new Error(data.error.message), data.error));
    else waiter?.resolve(data.value);
  }
}
