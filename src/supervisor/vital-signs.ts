import type { EventLoopUtilization } from 'node:perf_hooks';
import type { Worker } from 'node:worker_threads';
import type { ActorSpec, ExitReason } from '../actors/kernel/protocol.js';
import { newPulse, readPulse, type PulseReading } from '../actors/kernel/pulse.js';

/** Why a thread that runs must end. One whose event loop turns is asked to. */
export interface VitalFault {
  readonly turns: boolean;
  readonly reason: ExitReason;
}

/** What a thread shows of itself without being asked: its beat, its memory, the use of its event loop. */
export class VitalSigns {
  readonly pulse = newPulse();
  #lastBeat = -1;
  #silentMs = 0;
  #loop: EventLoopUtilization | null = null;
  #loopUse: number | undefined;

  get reading(): PulseReading {
    return readPulse(this.pulse);
  }

  /** Time since its last beat, as the looks have counted it. */
  get silentMs(): number {
    return this.#silentMs;
  }

  /** Share of the time between the last two samples; undefined before. */
  get loopUse(): number | undefined {
    return this.#loopUse;
  }

  look(elapsedMs: number, { beatDeadlineMs, heap }: ActorSpec): VitalFault | null {
    const { beat, overSoftLimit, overExternalLimit } = this.reading;
    this.#silentMs = beat === this.#lastBeat ? this.#silentMs + elapsedMs : 0;
    this.#lastBeat = beat;
    if (this.#silentMs > beatDeadlineMs) {
      const message = `its event loop did not turn for more than ${beatDeadlineMs} ms`;
      return { turns: false, reason: { code: 'HUNG', message } };
    }
    if (overSoftLimit) {
      const mark = Math.round(heap.softLimit * heap.maxOldMb);
      const message = `its heap holds more than ${mark} MB after a collection`;
      return { turns: true, reason: { code: 'HEAP_SOFT_LIMIT', message } };
    }
    if (overExternalLimit) {
      const message = `it holds more than ${heap.maxExternalMb ?? 0} MB outside its heap (Buffers, large strings) after a collection`;
      return { turns: true, reason: { code: 'EXTERNAL_MEMORY_LIMIT', message } };
    }
    return null;
  }

  sampleLoop({ performance }: Worker): void {
    const now = performance.eventLoopUtilization();
    if (this.#loop !== null) {
      this.#loopUse = performance.eventLoopUtilization(now, this.#loop).utilization;
    }
    this.#loop = now;
  }
}
