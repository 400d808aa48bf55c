import { createServer, type AddressInfo } from 'node:net';

/**
 * The port to listen on. For 0 one that is free now is chosen here, once for the life of the process, so that it can be
 * told to others before the server is up and stays when the server is started again.
 */
export async function choosePort(host: string, port: number): Promise<number> {
  if (port !== 0) return port;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const address: AddressInfo | string | null = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : port;
}
