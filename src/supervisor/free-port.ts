import { createServer, type AddressInfo } from 'node:net';
import { listenError } from '../core/listen-error.js';
import { StartError } from './start-error.js';

/**
 * The port to listen on, tried before anything is started. For 0 one that is free now is chosen here, once for the life
 * of the process, so that it can be told to others before the server is up and stays when the server is started again.
 */
export async function choosePort(host: string, port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const { code, message, cause } = listenError(error, host, port);
      reject(new StartError(code, message, cause));
    });
    server.listen(port, host, resolve);
  });
  const address: AddressInfo | string | null = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : port;
}
