import type { UnitKey } from '../../core/model.js';
import { probationMs, type QuarantineRules, type Suspect } from '../../core/cluster/quarantine.js';
import type { DiscoveryProtocol } from '../discovery/protocol.js';
import type { ActorLogger, Ref } from '../kernel/protocol.js';

/** A word may get lost on its way to the log. Meanwhile other tasks wait. */
const REPEAT_MS = 5000;

/** The suspected tasks and plans that this node has started: it acquits those that it has outlived. */
export class Probations {
  readonly #discovery: Ref<DiscoveryProtocol>;
  readonly #log: ActorLogger;
  readonly #rules: QuarantineRules;
  /** One for each task of this node at most. */
  readonly #timers = new Map<UnitKey, { readonly epoch: number; readonly timer: NodeJS.Timeout }>();

  constructor(discovery: Ref<DiscoveryProtocol>, log: ActorLogger, rules: QuarantineRules) {
    this.#discovery = discovery;
    this.#log = log;
    this.#rules = rules;
  }

  watch(
    running: ReadonlyMap<UnitKey, { readonly epoch: number }>,
    suspects: ReadonlyMap<UnitKey, Suspect>,
  ): void {
    for (const [unit, { epoch, timer }] of this.#timers) {
      if (running.get(unit)?.epoch === epoch && suspects.has(unit)) continue;
      clearTimeout(timer);
      this.#timers.delete(unit);
    }
    for (const [unit, suspect] of suspects) {
      const epoch = running.get(unit)?.epoch;
      const waitMs = probationMs(suspect, this.#rules);
      if (epoch === undefined || waitMs === null || this.#timers.has(unit)) continue;
      this.#log.warn(
        { task: unit, deaths: suspect.deaths.length },
        'this was running, or being planned, when nodes died: it is started apart from others that were, to find out which of them does it',
      );
      this.#acquitAfter(waitMs, unit, epoch);
    }
  }

  #acquitAfter(waitMs: number, unit: UnitKey, epoch: number): void {
    const timer = setTimeout(() => {
      this.#discovery.tell('acquit', { unit, epoch });
      this.#acquitAfter(REPEAT_MS, unit, epoch);
    }, waitMs);
    this.#timers.set(unit, { epoch, timer });
  }

  stop(): void {
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
