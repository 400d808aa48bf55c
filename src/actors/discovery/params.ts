import type { LogSettings } from '../log/open.js';
import type { LogProtocol } from '../log/protocol.js';
import type { RebalancerProtocol } from '../rebalancer/protocol.js';

export interface DiscoveryPeers {
  log: LogProtocol;
  rebalancer: RebalancerProtocol;
}

export interface DiscoveryParams {
  readonly workerId: string;
  /** Of this process, for all its incarnations. */
  readonly process: string;
  readonly logSettings: LogSettings;
  readonly restUrl: string;
  readonly topic: string;
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  readonly evictionMs: number;
}
