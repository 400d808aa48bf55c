/** One node's way to a RocketMQ, which can be made bad for this node alone. */
import type { RocketMq } from './rocketmq.js';
import { HOST } from './rocketmq-config.js';
import { TcpProxy, type Fault, type Rewrite } from './tcp-proxy.js';

/**
 * The name server tells clients where the brokers are; here they are told where the link is. Ports have five digits, so
 * an address is replaced by one of its length. The gRPC proxy must be a separate one: one in a broker names its own port.
 */
export class RocketMqLink {
  readonly #proxies: readonly TcpProxy[];
  /** Settings of the node. */
  readonly settings: Readonly<Record<string, string>>;

  private constructor(nameServer: TcpProxy, grpc: TcpProxy, brokers: readonly TcpProxy[]) {
    this.#proxies = [nameServer, grpc, ...brokers];
    this.settings = {
      namesrvAddr: `${HOST}:${nameServer.port}`,
      'rocketmq.endpoints': `${HOST}:${grpc.port}`,
    };
  }

  static async open({ ports }: RocketMq): Promise<RocketMqLink> {
    const brokers = await Promise.all(ports.brokers.map((port) => TcpProxy.listen(port)));
    const addresses = ports.brokers.map(
      (port, i) => [`${HOST}:${port}`, `${HOST}:${brokers[i]?.port ?? 0}`] as const,
    );
    const nameServer = await TcpProxy.listen(ports.nameServer, (answers) =>
      replacing(addresses, frames(answers)),
    );
    return new RocketMqLink(nameServer, await TcpProxy.listen(ports.grpc), brokers);
  }

  set(fault: Fault = {}): void {
    for (const proxy of this.#proxies) proxy.set(fault);
  }

  close(): void {
    for (const proxy of this.#proxies) proxy.close();
  }
}

/** Each begins with its length. */
const frames: Rewrite = async function* (answers) {
  let rest = Buffer.alloc(0);
  for await (const piece of answers) {
    rest = Buffer.concat([rest, piece]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
      const length = 4 + rest.readUInt32BE();
      yield rest.subarray(0, length);
      rest = rest.subarray(length);
    }
  }
};

async function* replacing(
  addresses: readonly (readonly [string, string])[],
  answers: AsyncIterable<Buffer>,
): AsyncIterable<Buffer> {
  for await (const answer of answers) {
    let text = answer.toString('latin1');
    for (const [from, to] of addresses) {
      if (from.length !== to.length) throw new Error(`${to} cannot take the place of ${from}`);
      text = text.replaceAll(from, to);
    }
    yield Buffer.from(text, 'latin1');
  }
}
