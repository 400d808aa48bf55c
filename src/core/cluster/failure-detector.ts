import type { NodeRef } from '../model.js';

export interface FailureDetectorOptions {
  readonly self: NodeRef;
  /** How often nodes send heartbeats, and how often `suspects` is asked. */
  readonly heartbeatMs: number;
  /** Silence of this long makes a suspect. */
  readonly evictionMs: number;
}

/**
 * Who was silent for too long, by this node's own monotonic clock. Silence counts only while this node listened: when
 * it was itself paused, or cut off from the log (it did not hear even itself), everybody's silence starts anew.
 * Remembers the members only.
 */
export class FailureDetector {
  readonly #self: NodeRef;
  readonly #evictionMs: number;
  /** A gap of this long in what this node does or hears means that the fault is its own. */
  readonly #ownGapMs: number;
  readonly #heard = new Map<string, { readonly incarnation: string; at: number }>();
  #lastTick: number | null = null;
  #heardSelf: number | null = null;

  constructor({ self, heartbeatMs, evictionMs }: FailureDetectorOptions) {
    this.#self = self;
    this.#evictionMs = evictionMs;
    this.#ownGapMs = Math.max(evictionMs / 2, 2 * heartbeatMs);
  }

  /** An entry of this node was read. */
  heard(node: NodeRef, nowMs: number): void {
    if (node.id === this.#self.id && node.incarnation === this.#self.incarnation) {
      if (this.#heardSelf !== null && nowMs - this.#heardSelf > this.#ownGapMs) this.#restart(nowMs);
      this.#heardSelf = nowMs;
      return;
    }
    const known = this.#heard.get(node.id);
    if (known === undefined) this.#heard.set(node.id, { incarnation: node.incarnation, at: nowMs });
    // A late word of an earlier incarnation is no sign of life of the present one.
    else if (known.incarnation === node.incarnation) known.at = nowMs;
  }

  /** How long this node has not heard that one, 0 when it has not waited for it yet. */
  silenceMs(node: NodeRef, nowMs: number): number {
    const own = node.id === this.#self.id && node.incarnation === this.#self.incarnation;
    const heard = this.#heard.get(node.id);
    const at = own ? this.#heardSelf : heard?.incarnation === node.incarnation ? heard.at : null;
    return at === null ? 0 : Math.max(0, nowMs - at);
  }

  /** Asked at every heartbeat, with the present members. A member that was never heard is silent from now on. */
  suspects(members: Iterable<NodeRef>, nowMs: number): NodeRef[] {
    const late = this.#lastTick !== null && nowMs - this.#lastTick > this.#ownGapMs;
    this.#lastTick = nowMs;
    if (late) this.#restart(nowMs);
    const suspects: NodeRef[] = [];
    const present = new Set<string>();
    for (const { id, incarnation } of members) {
      if (id === this.#self.id) continue;
      present.add(id);
      const heard = this.#heard.get(id);
      if (heard?.incarnation !== incarnation) this.#heard.set(id, { incarnation, at: nowMs });
      else if (nowMs - heard.at >= this.#evictionMs) suspects.push({ id, incarnation });
    }
    for (const id of [...this.#heard.keys()]) if (!present.has(id)) this.#heard.delete(id);
    return this.#heardSelf !== null && nowMs - this.#heardSelf <= this.#ownGapMs ? suspects : [];
  }

  #restart(nowMs: number): void {
    for (const heard of this.#heard.values()) heard.at = nowMs;
  }
}
