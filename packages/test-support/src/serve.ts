import { createServer, type RequestListener } from 'node:http';

export interface Served {
  readonly config: { readonly url: string };
  /** Answers what makes it come back. */
  readonly interrupt: () => Promise<() => Promise<void>>;
  readonly cleanup: () => Promise<void>;
}

/** A server for the time of one fixture, which answers 503 while it is interrupted. */
export async function serve(answer: RequestListener): Promise<Served> {
  let away = false;
  const server = createServer((request, response) => {
    if (away) request.resume().on('end', () => response.writeHead(503).end());
    else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    config: { url: `http://127.0.0.1:${address.port}/` },
    interrupt: async () => {
      away = true;
      return async () => {
        away = false;
      };
    },
    cleanup: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
