import { createServer, type AddressInfo } from 'node:net';
import { StartError } from './start-error.js';

/**
 * The port to listen on, tried before anything is started. For 0 one that is free now is chosen here, once for the life
 * of the process, so that it can be told to others before the server is up and stays when the server is started again.
 */
export async function choosePort(host: string, port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(listenError(error, host, port));
    });
    server.listen(port, host, resolve);
  });
  const address: AddressInfo | string | null = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : port;
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): StartError {
  if (error.code === 'EADDRINUSE') {
    const message = `httpPort = ${port}: this port of ${host} is in use by another program: set httpPort to a free one, or stop that program`;
    return new StartError('HTTP_PORT_IN_USE', message, error);
  }
  if (error.code === 'EACCES') {
    const message = `httpPort = ${port}: this user may not listen on this port: set httpPort to one above 1023`;
    return new StartError('HTTP_ADDRESS_REFUSED', message, error);
  }
  return new StartError(
    'HTTP_ADDRESS_REFUSED',
    `httpHost = ${host}: this is no address of this machine (${error.code ?? error.message})`,
    error,
  );
}
