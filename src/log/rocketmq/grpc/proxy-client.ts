/** What our clients of the proxy share. Loads gRPC, some 15 MB a thread: import it only where it is used. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Duplex } from 'node:stream';
import { format } from 'node:util';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { BaseClient, type Endpoints, type ILogger, type MessageQueue } from 'rocketmq-client-nodejs';
import type * as definition from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import service, {
  type TelemetryCommand,
} from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import type { RocketMqSettings } from '../settings.js';
import { Rpc } from './rpc.js';

export interface ProxySettings extends RocketMqSettings {
  readonly endpoints: string;
}

export interface ProxyClientOptions {
  readonly settings: ProxySettings;
  /** Lines of the npm client, for debugging; by default they go nowhere. */
  readonly onDebug?: ((line: string) => void) | undefined;
}

type Telemetry = ClientDuplexStream<TelemetryCommand, TelemetryCommand>;

/** Of one call. */
export const REQUEST_MS = 5000;

/**
 * rocketmq-client-nodejs keeps routes, settings and heartbeats, signs requests, and says goodbye. It is started
 * without topics: then its start cannot fail or wait for ever, and each route is read when it is first needed.
 */
export abstract class ProxyClient extends BaseClient {
  /** Its own is not unique among the threads of a process. */
  override readonly clientId = `${hostname()}@${process.pid}@${randomUUID()}`;
  protected readonly rpc: Rpc;
  readonly #streams = new Set<Telemetry>();
  #closed = false;

  constructor({ settings, onDebug }: ProxyClientOptions) {
    const { endpoints, acl, tls } = settings;
    const logger = debugLogger(onDebug);
    super({
      endpoints,
      namespace: '',
      sslEnabled: tls !== null,
      requestTimeout: REQUEST_MS,
      logger,
      ...(acl === null
        ? {}
        : { sessionCredentials: { accessKey: acl.accessKey, accessSecret: acl.secretKey } }),
    });
    // The one that the constructor made has a timer.
    this.rpcClientManager.close();
    this.rpc = new Rpc(this, logger, tls);
    Object.assign(this, { rpcClientManager: this.rpc });
  }

  /** Never fails; nothing is under way afterwards. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // The proxy ends them when it is told goodbye, and the npm client would open them again.
    for (const stream of this.#streams) stream.removeAllListeners();
    // Fails where the proxy is away: once more, then, with nobody to say goodbye to.
    await this.shutdown().catch(() => {
      this.topicRouteCache.clear();
      return this.shutdown();
    });
    for (const stream of this.#streams) stream.cancel();
  }

  protected get closed(): boolean {
    return this.#closed;
  }

  protected async queues(topic: string): Promise<readonly MessageQueue[]> {
    return (await this.getRouteData(topic)).messageQueues;
  }

  /** The next call reads it anew. */
  protected forgetRoute(topic: string): void {
    this.topicRouteCache.delete(topic);
  }

  /** Called by a stream's listener, where an error ends the thread. */
  override onSettingsCommand(endpoints: Endpoints, settings: definition.Settings): void {
    try {
      super.onSettingsCommand(endpoints, settings);
    } catch (error) {
      this.logger.warn('the settings that the proxy sent are not used: %s', error);
    }
  }

  /**
   * The npm client takes its listeners off a stream that failed and writes to it all the same, which ends the thread;
   * and it opens streams again, a second after they failed, also after its end.
   */
  override createTelemetryStream(endpoints: Endpoints): Telemetry {
    if (this.#closed) return noStream();
    const stream = super.createTelemetryStream(endpoints);
    const removeAllListeners = stream.removeAllListeners.bind(stream);
    stream.removeAllListeners = () => {
      removeAllListeners();
      return stream.on('error', ignore);
    };
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    return stream;
  }
}

function ignore(): void {
  // Said elsewhere: every call fails as well.
}

/** Takes what is written and says nothing: a call that was never made. */
function noStream(): Telemetry {
  const stream = new Duplex({
    objectMode: true,
    read: () => undefined,
    write: (_command, _encoding, done) => {
      done();
    },
  });
  return Object.assign(stream, {
    cancel: () => undefined,
    getPeer: () => '',
    getAuthContext: () => null,
    serialize: (command: TelemetryCommand) => Buffer.from(command.serializeBinary()),
    deserialize: (bytes: Buffer) => service.TelemetryCommand.deserializeBinary(bytes),
  });
}

function debugLogger(onDebug: ((line: string) => void) | undefined): ILogger {
  const write = (...args: unknown[]): void => onDebug?.(format(...args));
  return { debug: write, info: write, warn: write, error: write };
}
