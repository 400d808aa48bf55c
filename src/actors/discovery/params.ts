export interface DiscoveryParams {
  readonly workerId: string;
  readonly restUrl: string;
  readonly topic: string;
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  readonly evictionMs: number;
}
