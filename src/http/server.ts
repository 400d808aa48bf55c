/** The socket side: listening, the limits of slow and broken clients, and an orderly end. */
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

import { restUrl } from '../core/cluster/rest-url.js';
import { listenError } from '../core/listen-error.js';
import { createApp, type AppOptions } from './app.js';
import { badTransferEncoding } from './body.js';
import type { HttpLog } from './context.js';
import { errorBody, HttpError } from './errors.js';
import type { Runtime } from './runtime.js';

export interface ServerOptions extends Omit<AppOptions, 'maxConcurrentRequests' | 'stopping'> {
  /** 0: any free port. */
  readonly port: number;
  readonly maxConcurrentRequests?: number;
  readonly maxConnections?: number;
  /** How long headers, and a whole request with its body, may take to arrive. */
  readonly headersTimeoutMs?: number;
  readonly receiveTimeoutMs?: number;
}

export interface RunningServer {
  readonly port: number;
  readonly url: string;
  /** Accepts nothing more, waits for the requests being served, and ends them when the grace is over. */
  stop(graceMs: number): Promise<void>;
}

const DEFAULTS = {
  maxConcurrentRequests: 256,
  maxConnections: 1024,
  headersTimeoutMs: 10_000,
  receiveTimeoutMs: 30_000,
};

export async function startServer(
  runtime: Runtime,
  given: ServerOptions,
  log: HttpLog,
): Promise<RunningServer> {
  const stopping = new AbortController();
  const options = { ...DEFAULTS, ...given, stopping: stopping.signal };
  const app = createApp(runtime, options, log);
  const server = createServer({
    headersTimeout: options.headersTimeoutMs,
    requestTimeout: Math.max(options.receiveTimeoutMs, options.headersTimeoutMs),
    // How often the two are looked at.
    connectionsCheckingInterval: Math.min(1_000, options.headersTimeoutMs),
    keepAliveTimeout: 5_000,
    maxHeaderSize: 16 * 1024,
    // The check of Host answers, in the shape of every error.
    requireHostHeader: false,
  });
  server.maxConnections = options.maxConnections;
  // A client that neither sends nor reads: longer than any answer may take.
  server.timeout = options.requestTimeoutMs + options.receiveTimeoutMs;
  serve(server, app.callback());
  const port = await listen(server, options.host, options.port);
  server.on('error', (error) => log.error({ err: error }, 'a connection could not be accepted'));
  return {
    port,
    url: restUrl(options.host, port),
    stop: (graceMs) => {
      stopping.abort();
      return close(server, graceMs);
    },
  };
}

function serve(
  server: Server,
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): void {
  const answers = new WeakMap<Duplex, ServerResponse>();
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    answers.set(request.socket, response);
    void handle(request, response);
  };
  server.on('request', take);
  // The body is asked for only by the route that reads it (body.ts), so a refusal spares it.
  server.on('checkContinue', take);
  // Other expectations are passed over: Node would answer them with an empty 417.
  server.on('checkExpectation', take);
  server.on('clientError', (error, socket) => {
    // In the middle of an answer, another one would be read as its rest.
    if (answers.get(socket)?.headersSent === true && answers.get(socket)?.writableFinished === false)
      socket.destroy();
    else answerBrokenRequest(error, socket);
  });
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port));
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      const address: AddressInfo | string | null = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** What never became a request, answered in the same shape as every error. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const refusal = brokenRequest(error);
  const body = JSON.stringify(errorBody(refusal));
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}\r\n` +
      'Content-Type: application/json; charset=utf-8\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function brokenRequest(error: NodeJS.ErrnoException): HttpError {
  if (error.code === 'HPE_INVALID_TRANSFER_ENCODING') return badTransferEncoding(transferEncodingOf(error));
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return new HttpError('HEADERS_TOO_LARGE', 'The request line and headers are larger than 16 KiB.');
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new HttpError('REQUEST_TOO_SLOW', 'The request did not arrive in time.');
  }
  return new HttpError('HTTP_MALFORMED', 'The bytes received are not an HTTP/1.1 request.');
}

/** In what was received last, where the header stands in it. */
function transferEncodingOf(error: object): string | null {
  if (!('rawPacket' in error) || !Buffer.isBuffer(error.rawPacket)) return null;
  return /^transfer-encoding:[ \t]*([ -~]+)/im.exec(error.rawPacket.toString('latin1'))?.[1] ?? null;
}
