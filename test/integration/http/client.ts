/** A server on a free port over an in-memory runtime, and a client that may send any header. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';

import { ERRORS, type ErrorBody } from '#troupe/http/errors.js';
import { startServer, type RunningServer, type ServerOptions } from '#troupe/http/server.js';
import type { HttpLog } from '#troupe/http/context.js';
import { Description } from './described.js';
import { InMemoryRuntime } from './in-memory-runtime.js';

const description = new Description();

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body where it is JSON, else undefined. */
  readonly json: unknown;
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  /** Objects are sent as JSON, strings and bytes as they are. */
  readonly body?: unknown;
}

export interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

export class Rest {
  readonly runtime = new InMemoryRuntime();
  readonly log: LogLine[] = [];
  /** false: the runtime fails as no such request makes it fail. */
  isDescribed = true;
  #server: RunningServer | undefined;

  static async start(t: TestContext, options: Partial<ServerOptions> = {}): Promise<Rest> {
    const rest = new Rest();
    const defaults = {
      host: '127.0.0.1',
      port: 0,
      allowedHosts: [],
      maxBodyBytes: 100_000,
      requestTimeoutMs: 20_000,
    };
    rest.#server = await startServer(rest.runtime, { ...defaults, ...options }, rest.#logger());
    t.after(() => rest.stop(0));
    return rest;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  async stop(graceMs: number): Promise<void> {
    await this.#server?.stop(graceMs);
  }

  /** Every answer is one that the description of the API tells. */
  async send(method: string, path: string, sent: Sent = {}): Promise<Answer> {
    const answer = await this.#send(method, path, sent);
    if (this.isDescribed) description.check(method, path, answer);
    return answer;
  }

  #send(method: string, path: string, { headers = {}, body }: Sent): Promise<Answer> {
    const bytes =
      body === undefined
        ? undefined
        : typeof body === 'string' || body instanceof Uint8Array
          ? body
          : JSON.stringify(body);
    const type = bytes === undefined ? {} : { 'content-type': 'application/json' };
    return new Promise((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port: this.port,
        method,
        path,
        headers: { ...type, ...headers },
      });
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: jsonOf(text) });
        });
      });
      sent.on('error', reject);
      sent.end(bytes);
    });
  }

  /** Sends bytes over a bare connection and reads until the server closes it. */
  async raw(text: string): Promise<string> {
    const socket = connect(this.port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (received += chunk));
    socket.on('error', () => undefined);
    socket.write(text);
    await once(socket, 'close');
    return received;
  }

  #logger(): HttpLog {
    const at = (level: string) => (fields: object, message: string) =>
      void this.log.push({ level, fields, message });
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }
}

/** The body of an error, of which every part is checked to be there. */
export function errorOf(json: unknown): ErrorBody {
  assert.ok(isErrorBody(json), `not the shape of an error: ${JSON.stringify(json)}`);
  return json;
}

function isErrorBody(json: unknown): json is ErrorBody {
  if (
    typeof json !== 'object' ||
    json === null ||
    !('error_code' in json && 'message' in json && 'code' in json)
  )
    return false;
  const { error_code: status, message, code } = json;
  return (
    typeof message === 'string' &&
    message !== '' &&
    typeof code === 'string' &&
    Object.hasOwn(ERRORS, code) &&
    Object.entries(ERRORS).some(([name, entry]) => name === code && entry.status === status)
  );
}

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
