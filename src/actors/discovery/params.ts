import type { LogSettings } from '../../log/open.js';

export interface DiscoveryParams {
  readonly workerId: string;
  readonly logSettings: LogSettings;
  readonly restUrl: string;
  readonly topic: string;
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  readonly evictionMs: number;
}
