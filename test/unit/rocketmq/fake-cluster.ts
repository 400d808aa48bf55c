/** A name server and brokers that do what a test wants, and a client of them. */
import { RemotingClient, type RemotingOptions } from '#troupe/log/rocketmq/remoting/client.js';
import { FakeServer, type Received } from './fake-server.js';

export const TOPIC = 'orders';
export const QUEUES = 2;
const ROUTE = 105;
const CLUSTER_INFO = 106;
const SUCCESS = 0;
const TOPIC_NOT_EXIST = 17;

export type Handler = (request: Received) => void;

/** The address of each broker's master; null: it has none. */
export type Masters = Readonly<Record<string, string | null>>;

/** As a name server; `masters` of the topic. `brokers` are all that it knows. */
export function answerRoute(
  request: Received,
  masters: Masters | null,
  brokers: readonly string[] = ['a'],
): void {
  if (request.code === CLUSTER_INFO) {
    const table = brokers.map((name) => [name, brokerData(name, masters?.[name] ?? null)] as const);
    request.answer(SUCCESS, { body: JSON.stringify({ brokerAddrTable: Object.fromEntries(table) }) });
    return;
  }
  if (request.code !== ROUTE) throw new Error(`the name server is asked ${request.code}`);
  if (masters === null) request.answer(TOPIC_NOT_EXIST);
  else request.answer(SUCCESS, { body: JSON.stringify(routeOf(masters)) });
}

function routeOf(masters: Masters): object {
  return {
    queueDatas: Object.keys(masters).map((brokerName) => ({
      brokerName,
      perm: 6,
      readQueueNums: QUEUES,
      writeQueueNums: QUEUES,
      topicSysFlag: 0,
    })),
    brokerDatas: Object.entries(masters).map(([name, master]) => brokerData(name, master)),
  };
}

function brokerData(brokerName: string, master: string | null): object {
  return {
    brokerName,
    cluster: 'c',
    brokerAddrs: { ...(master !== null && { 0: master }), 1: '127.0.0.1:1' },
  };
}

export class FakeCluster {
  readonly broker: FakeServer;
  readonly nameServer: FakeServer;
  readonly client: RemotingClient;
  readonly issues: string[] = [];
  /** What the name server answers; null: it does not know the topic. */
  masters: Masters | null;
  /** All brokers that the name server knows. */
  brokers: readonly string[] = ['a'];

  private constructor(broker: FakeServer, nameServer: FakeServer, options: Partial<RemotingOptions>) {
    this.broker = broker;
    this.masters = { a: broker.address };
    this.nameServer = nameServer;
    this.client = new RemotingClient({
      namesrvAddr: [this.nameServer.address],
      acl: null,
      tls: null,
      deadlineMs: 20_000,
      maxInFlightBytes: 1024 * 1024,
      onIssue: (message) => this.issues.push(message),
      ...options,
    });
  }

  static async start(handle: Handler, options: Partial<RemotingOptions> = {}): Promise<FakeCluster> {
    let cluster: FakeCluster | null = null;
    const nameServer = await FakeServer.start((request) =>
      answerRoute(request, cluster?.masters ?? null, cluster?.brokers),
    );
    const broker = await FakeServer.start(handle);
    cluster = new FakeCluster(broker, nameServer, options);
    return cluster;
  }

  async stop(): Promise<void> {
    await this.client.close();
    await Promise.all([this.broker.stop(), this.nameServer.stop()]);
  }
}
