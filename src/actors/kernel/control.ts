/**
 * What a thread and the supervisor say to each other: over a port of their own, since plugin code in the thread can
 * reach its parent port as well.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ChannelEnd } from './channel.js';
import type { LogOptions } from './logging.js';
import type { MetricsMemory } from './metrics-writer.js';
import type { ActorId, SystemEvent } from './protocol.js';
import type { PulseBuffer } from './pulse.js';
import type { WireError } from './wire-error.js';

/** All of a thread's code in one file, run by thread-file.cts. */
export interface ThreadFile {
  readonly url: string;
  /** By V8, in an earlier thread. */
  readonly compiled: SharedArrayBuffer | null;
}

/** The Worker's `workerData`. */
export interface ThreadData {
  /** To the supervisor. */
  readonly port: MessagePort;
  /** Of thread-file.cts. */
  readonly file?: ThreadFile;
  readonly id: ActorId;
  readonly incarnation: number;
  readonly module: string;
  readonly params: unknown;
  readonly peers: readonly ActorId[];
  /** Channels to the peers that run already. */
  readonly channels: readonly ChannelEnd[];
  readonly pulse: PulseBuffer;
  readonly metrics: MetricsMemory;
  readonly softLimitBytes: number;
  /** Outside the heap. */
  readonly externalLimitBytes: number;
  readonly beatDeadlineMs: number;
  readonly lease: SharedArrayBuffer;
  readonly log: LogOptions;
  /** It is to give what was compiled of its file. */
  readonly givesCode: boolean;
}

/** The `workerData` of a thread that loads these modules and then waits for `Begin`. */
export interface SpareData {
  readonly port: MessagePort;
  readonly file?: ThreadFile;
  readonly preload: readonly string[];
}

/** The first message to a spare thread, which makes it the thread of an actor. */
export interface Begin {
  readonly type: 'begin';
  /** The port is the one over which it comes. */
  readonly data: Omit<ThreadData, 'port'>;
}

export type ToThread =
  /** A declared peer's new incarnation is reachable here. */
  | { readonly type: 'peer'; readonly end: ChannelEnd }
  /** An asker's messages arrive here. */
  | { readonly type: 'serve'; readonly end: ChannelEnd }
  | { readonly type: 'stop' }
  | { readonly type: 'answer'; readonly call: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly call: number; readonly error: WireError }
  | { readonly type: 'event'; readonly supervisor: ActorId; readonly event: SystemEvent };

/** What a thread asks of the system. */
export type SystemRequest =
  | {
      readonly type: 'call';
      readonly call: number;
      readonly method: SystemMethod;
      readonly args: readonly unknown[];
    }
  | { readonly type: 'watch'; readonly supervisor: ActorId }
  /** More memory for the actor's metrics, which its next thread needs as well. */
  | { readonly type: 'metrics'; readonly memory: SharedArrayBuffer }
  | { readonly type: 'shutdown'; readonly reason: string };

export type FromThread =
  | { readonly type: 'started' }
  /** Its work is done: it asks to be stopped, as NORMAL. */
  | { readonly type: 'finished' }
  /** It has nothing to do, and stops: `stopped` follows. */
  | { readonly type: 'passivate'; readonly memo: unknown }
  | { readonly type: 'stopped' }
  /** What V8 has compiled of its file. */
  | { readonly type: 'code'; readonly compiled: SharedArrayBuffer }
  | { readonly type: 'failed'; readonly during: 'start' | 'run' | 'stop'; readonly error: WireError }
  | SystemRequest;

export const SYSTEM_METHODS = [
  'startChild',
  'replaceSpec',
  'stopChild',
  'children',
  'tree',
  'metrics',
  'logLevels',
  'setLogLevel',
] as const;
export type SystemMethod = (typeof SYSTEM_METHODS)[number];
