import { MessageChannel } from 'node:worker_threads';
import { newCounters, type ChannelEnd } from '../actors/kernel/channel.js';
import type { ActorId, ActorSpec } from '../actors/kernel/protocol.js';
import type { ActorThread } from './actor-thread.js';

/** Makes a channel for each declared (asker, target) pair of live threads, hands out both ends, and keeps neither. */
export class Switchboard {
  /** The latest thread of each actor, while it lives. */
  readonly #threads = new Map<ActorId, ActorThread>();

  get threads(): Iterable<ActorThread> {
    return this.#threads.values();
  }

  /** For a thread about to be made: its ends of the channels to those of its peers that run. */
  connectTo(spec: ActorSpec): ChannelEnd[] {
    const ends: ChannelEnd[] = [];
    for (const id of spec.peers) {
      const target = this.#threads.get(id);
      if (target?.running === true) ends.push(connect(spec.id, target));
    }
    return ends;
  }

  add(thread: ActorThread): void {
    this.#threads.set(thread.spec.id, thread);
  }

  /** It can be asked now: whoever declared it is connected. */
  started(target: ActorThread): void {
    for (const asker of this.#threads.values()) {
      if (!asker.alive || !asker.spec.peers.includes(target.spec.id)) continue;
      asker.post({ type: 'peer', end: connect(asker.spec.id, target) });
    }
  }

  gone(thread: ActorThread): void {
    if (this.#threads.get(thread.spec.id) !== thread) return;
    this.#threads.delete(thread.spec.id);
    for (const id of thread.spec.peers) this.#threads.get(id)?.forget(thread.spec.id);
  }
}

function connect(asker: ActorId, target: ActorThread): ChannelEnd {
  const { port1, port2 } = new MessageChannel();
  const counters = newCounters();
  const { incarnation } = target;
  target.serve({ peer: asker, port: port2, counters, incarnation });
  return { peer: target.spec.id, port: port1, counters, incarnation };
}
