/** A server of the remoting protocol, on loopback, that does what a test wants: also what no server should. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { FrameDecoder } from '#troupe/log/rocketmq/remoting/frame-decoder.js';
import type { Frame } from '#troupe/log/rocketmq/remoting/frame.js';

export interface Fields {
  readonly [name: string]: string;
}

export function responseBytes(
  opaque: number,
  code: number,
  { fields = {}, body = '', remark }: { fields?: Fields; body?: string | Buffer; remark?: string } = {},
): Buffer {
  return frameBytes({ code, opaque, flag: 1, extFields: fields, remark }, Buffer.from(body));
}

export function frameBytes(header: object, body: Buffer = Buffer.alloc(0)): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const lengths = Buffer.alloc(8);
  lengths.writeInt32BE(4 + json.length + body.length, 0);
  lengths.writeInt32BE(json.length, 4);
  return Buffer.concat([lengths, json, body]);
}

export class Received {
  readonly code: number;
  readonly opaque: number;
  readonly fields: Fields;
  readonly body: Buffer;
  readonly #socket: Socket;

  constructor(frame: Frame, socket: Socket) {
    this.code = frame.code;
    this.opaque = frame.opaque;
    this.fields = frame.fields;
    this.body = frame.body;
    this.#socket = socket;
  }

  answer(code: number, content?: Parameters<typeof responseBytes>[2]): void {
    this.write(responseBytes(this.opaque, code, content));
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Ends the connection, after `bytes`. */
  cut(bytes: Buffer = Buffer.alloc(0)): void {
    this.#socket.end(bytes);
  }
}

export class FakeServer {
  readonly received: Received[] = [];
  /** What the client answered to requests of the server. */
  readonly responses: Frame[] = [];
  /** Connections taken so far. */
  connections = 0;
  port = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(handle: (request: Received) => void) {
    this.#server = createServer((socket) => {
      const decoder = new FrameDecoder();
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
      socket.on('data', (chunk: Buffer) => {
        for (const frame of decoder.push(chunk)) {
          if (frame.isResponse) {
            this.responses.push(frame);
            continue;
          }
          const request = new Received(frame, socket);
          this.received.push(request);
          handle(request);
        }
      });
    });
  }

  static async start(handle: (request: Received) => void, port = 0): Promise<FakeServer> {
    const server = new FakeServer(handle);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    server.port = (server.#server.address() as AddressInfo).port;
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
