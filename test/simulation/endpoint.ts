import { ActorError } from '#troupe/actors/kernel/errors.js';
import type { AskCall, Handlers, Protocol, Ref } from '#troupe/actors/kernel/protocol.js';
import type { Thread } from './virtual-time.js';
import type { World } from './world.js';

interface PartialHandlers<P extends Protocol> {
  readonly tell: Partial<Handlers<P>['tell']>;
  readonly ask: Partial<Handlers<P>['ask']>;
}

interface Running<P extends Protocol> {
  readonly thread: Thread;
  readonly handlers: PartialHandlers<P>;
}

/** An actor as others reach it: over channels that keep order and take a little while. */
export class Endpoint<P extends Protocol> {
  readonly #world: World;
  readonly #id: string;
  readonly #listeners = new Set<(up: boolean, incarnation: number) => void>();
  readonly #waiting = new Set<() => void>();
  #running: Running<P> | null = null;
  #incarnation = 0;

  constructor(world: World, id: string) {
    this.#world = world;
    this.#id = id;
  }

  up(thread: Thread, handlers: PartialHandlers<P>): void {
    this.#running = { thread, handlers };
    this.#incarnation += 1;
    for (const listener of [...this.#listeners]) listener(true, this.#incarnation);
  }

  down(): void {
    this.#running = null;
    for (const listener of [...this.#listeners]) listener(false, this.#incarnation);
    for (const fail of [...this.#waiting]) fail();
  }

  ref(from: Thread): Ref<P> {
    const there = channel(this.#world);
    const back = channel(this.#world);
    const isUp = (): boolean => this.#running !== null;
    const onChange: Ref<P>['onChange'] = (listener) => {
      const later = (up: boolean, incarnation: number): void => {
        back(from, () => {
          listener(up, incarnation);
        });
      };
      this.#listeners.add(later);
      listener(isUp(), this.#incarnation);
      return () => this.#listeners.delete(later);
    };
    return {
      id: this.#id,
      get up() {
        return isUp();
      },
      tell: (kind, payload) => {
        const running = this.#running;
        if (running === null) return false;
        there(running.thread, () => running.handlers.tell[kind]?.(payload, from.name));
        return true;
      },
      ask: (kind, request, { signal }) =>
        new Promise((resolve, reject) => {
          const running = this.#running;
          const handler = running?.handlers.ask[kind];
          if (running === null || handler === undefined) {
            reject(this.#isDown());
            return;
          }
          // A signal for each ask, as in a real mailbox: the handler may listen to it for ever.
          const given = new AbortController();
          const abandon = (): void => {
            given.abort();
          };
          signal?.addEventListener('abort', abandon);
          const settle = (action: () => void): void => {
            this.#waiting.delete(fail);
            signal?.removeEventListener('abort', abandon);
            back(from, action);
          };
          const fail = (): void => {
            settle(() => {
              reject(this.#isDown());
            });
          };
          this.#waiting.add(fail);
          there(running.thread, () => {
            Promise.resolve()
              .then(() => handler(request, callOf(from, given.signal)))
              .then(
                (reply) => {
                  settle(() => {
                    resolve(reply);
                  });
                },
                (error: unknown) => {
                  settle(() => {
                    reject(remote(error));
                  });
                },
              );
          });
        }),
      onChange,
    };
  }

  #isDown(): ActorError {
    return new ActorError('ACTOR_DOWN', `${this.#id} is down`);
  }
}

/** In order, whatever the delays. */
function channel({ time, network }: World): (to: Thread, deliver: () => void) => void {
  let last = 0;
  return (to, deliver) => {
    const busy = !network.calm && network.random.chance(1) ? network.random.next(300) : 0;
    last = Math.max(last, time.now + 1 + busy);
    time.after(last - time.now, deliver, to);
  };
}

function callOf(from: Thread, signal: AbortSignal): AskCall {
  return {
    from: from.name,
    signal,
    transfer: () => undefined,
  };
}

function remote(error: unknown): ActorError {
  if (!(error instanceof Error)) return new ActorError('REMOTE_ERROR', String(error));
  const code = 'code' in error && typeof error.code === 'string' ? { remoteCode: error.code } : {};
  return new ActorError('REMOTE_ERROR', error.message, code);
}
