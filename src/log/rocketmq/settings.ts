/** What the adapter is told of the RocketMQ cluster. Plain data: it crosses threads. */
export interface RocketMqSettings {
  /** `host:port` of each name server. */
  readonly namesrvAddr: readonly string[];
  /** `host:port` of the proxies, for the gRPC protocol; null: none. */
  readonly endpoints: string | null;
  /** RocketMQ's cluster in which topics and groups are created; null: on all masters that the name servers know. */
  readonly cluster: string | null;
  readonly acl: { readonly accessKey: string; readonly secretKey: string } | null;
  readonly tls: {
    /** File of the certificates to trust; null: those of Node. */
    readonly caFile: string | null;
    /** False: any certificate is taken. */
    readonly verify: boolean;
  } | null;
  /** The broker's `maxMessageSize`. */
  readonly maxMessageBytes: number;
}
