/** The ports that a RocketMQ on this machine listens on. */
import { freePort, freePorts } from './ports.js';

export interface RocketMqPorts {
  readonly nameServer: number;
  /** One a broker; a broker also listens at `port - 2` and `port + 1`. */
  readonly brokers: readonly number[];
  readonly grpc: number;
  /** The proxy's door for the older protocol. */
  readonly remotingProxy: number;
}

/** A broker also listens two below its port (a second door for clients) and one above it (replication). */
export const brokerPorts = (port: number): readonly number[] => [port - 2, port, port + 1];

/** Nobody else takes them while this process lives. */
export async function freeRocketMqPorts(brokers = 1): Promise<RocketMqPorts> {
  const nameServer = await freePort();
  const grpc = await freePort();
  const remotingProxy = await freePort();
  const ports: number[] = [];
  while (ports.length < brokers) ports.push((await freePorts(4)) + 2);
  return { nameServer, brokers: ports, grpc, remotingProxy };
}
