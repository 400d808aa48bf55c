import type { DefaultConverters } from '../../plugins/configured-plugins.js';
import type { Protocol } from '../../actors/kernel/protocol.js';

/** Serves REST; other actors have nothing to ask it. */
export interface HttpProtocol extends Protocol {
  tell: Record<string, never>;
  ask: Record<string, never>;
}

export interface HttpParams {
  readonly host: string;
  readonly port: number;
  /** Host names, besides loopback's and `host`, that a request may address. */
  readonly allowedHosts: readonly string[];
  readonly maxBodyBytes: number;
  readonly legacy?: boolean;
  readonly requestTimeoutMs: number;
  readonly defaultConverters: DefaultConverters;
  readonly workerId: string;
  readonly clusterId: string;
  readonly version: string;
  /** Commit the node was built from; absent: unknown. */
  readonly commit?: string;
  /** How long a stop waits for requests being answered, in milliseconds; less than the stop deadline. Default 3,000. */
  readonly stopGraceMs?: number;
}
