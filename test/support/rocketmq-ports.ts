/** The ports that a RocketMQ on this machine listens on. */
import { createServer } from 'node:net';

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

/**
 * Ports that are free just now. Below the range that systems give to whoever asks for any port, so that none of them
 * is taken by a connection while the Java processes start.
 */
export async function freeRocketMqPorts(brokers = 1): Promise<RocketMqPorts> {
  const taken = new Set<number>();
  const free = async (span: (port: number) => readonly number[]): Promise<number> => {
    for (let tries = 0; tries < 1000; tries += 1) {
      const port = 20_002 + Math.floor(Math.random() * 11_990);
      const all = span(port);
      if (all.some((one) => taken.has(one)) || (await busyPort(all)) !== null) continue;
      for (const one of all) taken.add(one);
      return port;
    }
    throw new Error('no free ports');
  };
  const single = (port: number): readonly number[] => [port];
  const nameServer = await free(single);
  const grpc = await free(single);
  const remotingProxy = await free(single);
  const ports: number[] = [];
  while (ports.length < brokers) ports.push(await free(brokerPorts));
  return { nameServer, brokers: ports, grpc, remotingProxy };
}

/** The first of the ports that somebody listens on, or null. */
export async function busyPort(ports: readonly number[]): Promise<number | null> {
  for (const port of ports) {
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
    });
    if (!free) return port;
  }
  return null;
}
