/**
 * The calls to the proxies, in place of those of rocketmq-client-nodejs. That one knows no certificates but the
 * default ones, refuses messages of more than 4 MB (each of which then blocks those received with it), waits up to two
 * minutes before it connects again, and opens a channel for each queue each time that routes are read.
 */
import { readFileSync } from 'node:fs';
import {
  ChannelCredentials,
  type CallOptions,
  type ChannelOptions,
  type ClientDuplexStream,
  type ClientUnaryCall,
  type Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { RpcClientManager, type BaseClient, type Endpoints, type ILogger } from 'rocketmq-client-nodejs';
import grpcService from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_grpc_pb.js';
import type * as pb from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import { LogError } from '../../log.js';
import type { RocketMqSettings } from '../settings.js';
import { readPopReply, type PopReply } from './pop-reply.js';

type Stub = InstanceType<typeof grpcService.MessagingServiceClient>;
type Unary<Request, Reply> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  done: (error: ServiceError | null, reply: Reply) => void,
) => ClientUnaryCall;

const RECEIVE_PATH = grpcService.MessagingServiceService.receiveMessage.path;

const CHANNEL: ChannelOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 3000,
  // Connections of its own, which end with it.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
};

export class Rpc extends RpcClientManager {
  readonly #client: BaseClient;
  readonly #credentials: ChannelCredentials;
  readonly #stubs = new Map<string, Stub>();

  constructor(client: BaseClient, logger: ILogger, tls: RocketMqSettings['tls']) {
    super(client, logger);
    this.#client = client;
    this.#credentials = credentials(tls);
  }

  override close(): void {
    super.close();
    for (const stub of this.#stubs.values()) stub.close();
    this.#stubs.clear();
  }

  override queryRoute(
    to: Endpoints,
    request: pb.QueryRouteRequest,
    ms: number,
  ): Promise<pb.QueryRouteResponse> {
    return this.#call(to, (stub) => stub.queryRoute.bind(stub), request, ms);
  }

  override heartbeat(to: Endpoints, request: pb.HeartbeatRequest, ms: number): Promise<pb.HeartbeatResponse> {
    return this.#call(to, (stub) => stub.heartbeat.bind(stub), request, ms);
  }

  override notifyClientTermination(
    to: Endpoints,
    request: pb.NotifyClientTerminationRequest,
    ms: number,
  ): Promise<pb.NotifyClientTerminationResponse> {
    return this.#call(to, (stub) => stub.notifyClientTermination.bind(stub), request, ms);
  }

  override sendMessage(
    to: Endpoints,
    request: pb.SendMessageRequest,
    ms: number,
  ): Promise<pb.SendMessageResponse> {
    return this.#call(to, (stub) => stub.sendMessage.bind(stub), request, ms);
  }

  override ackMessage(
    to: Endpoints,
    request: pb.AckMessageRequest,
    ms: number,
  ): Promise<pb.AckMessageResponse> {
    return this.#call(to, (stub) => stub.ackMessage.bind(stub), request, ms);
  }

  override changeInvisibleDuration(
    to: Endpoints,
    request: pb.ChangeInvisibleDurationRequest,
    ms: number,
  ): Promise<pb.ChangeInvisibleDurationResponse> {
    return this.#call(to, (stub) => stub.changeInvisibleDuration.bind(stub), request, ms);
  }

  /** In place of `receiveMessage`, and cheaper: answers what the proxy hands out, once it is complete. */
  receive(to: Endpoints, request: pb.ReceiveMessageRequest, ms: number): Promise<readonly PopReply[]> {
    const stream = this.#stub(to).makeServerStreamRequest<pb.ReceiveMessageRequest, PopReply>(
      RECEIVE_PATH,
      (message) => Buffer.from(message.serializeBinary()),
      readPopReply,
      request,
      this.#client.getRequestMetadata(),
      { deadline: Date.now() + ms },
    );
    return new Promise((resolve, reject) => {
      const replies: PopReply[] = [];
      stream.on('data', (reply: PopReply) => replies.push(reply));
      stream.once('end', () => resolve(replies));
      stream.once('error', (error) => {
        // What came before it broke is here, and nowhere else for a while.
        if (replies.some(({ message }) => message !== null)) resolve(replies);
        else reject(error);
      });
    });
  }

  override telemetry(
    to: Endpoints,
    metadata: Metadata,
  ): ClientDuplexStream<pb.TelemetryCommand, pb.TelemetryCommand> {
    return this.#stub(to).telemetry(metadata);
  }

  #call<Request, Reply>(
    to: Endpoints,
    method: (stub: Stub) => Unary<Request, Reply>,
    request: Request,
    ms: number,
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + ms };
      method(this.#stub(to))(request, this.#client.getRequestMetadata(), options, (error, reply) => {
        if (error === null) resolve(reply);
        else reject(error);
      });
    });
  }

  #stub(endpoints: Endpoints): Stub {
    const target = targetOf(endpoints.addressesList);
    let stub = this.#stubs.get(target);
    if (stub === undefined) {
      stub = new grpcService.MessagingServiceClient(target, this.#credentials, CHANNEL);
      this.#stubs.set(target, stub);
    }
    return stub;
  }
}

function credentials(tls: RocketMqSettings['tls']): ChannelCredentials {
  if (tls === null) return ChannelCredentials.createInsecure();
  return ChannelCredentials.createSsl(tls.caFile === null ? null : readCa(tls.caFile), null, null, {
    rejectUnauthorized: tls.verify,
  });
}

function readCa(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LogError('LOG_BAD_REQUEST', `the certificates to trust cannot be read: ${reason}`, { cause });
  }
}

/** gRPC resolves one name, or takes a list of addresses. */
function targetOf(addresses: readonly { readonly host: string; readonly port: number }[]): string {
  const list = addresses.map(({ host, port }) => `${host}:${port}`).join(',');
  if (addresses.every(({ host }) => /^[\d.]+$/.test(host))) return `ipv4:${list}`;
  if (addresses.length === 1) return `dns:${list}`;
  throw new LogError(
    'LOG_BAD_REQUEST',
    `rocketmq.endpoints may list several addresses only where all are IPv4, not ${list}: give one host name that stands for all proxies`,
  );
}
