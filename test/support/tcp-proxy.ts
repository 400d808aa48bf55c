/** A TCP connection that can be made bad: cut, silent, slow, narrow. */
import { once, setMaxListeners } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const HOST = '127.0.0.1';

export interface Fault {
  /** Connections end, and new ones are refused as soon as they are made. */
  readonly cut?: boolean;
  /** Nothing gets through, and nobody is told. */
  readonly silent?: boolean;
  /** For each piece, in each direction. */
  readonly delayMs?: number;
  readonly bytesPerSecond?: number;
}

/** Makes something else of what the server answers. */
export type Rewrite = (answers: AsyncIterable<Buffer>) => AsyncIterable<Buffer>;

export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #fault: Fault = {};
  /** Aborted when the fault changes. */
  #present = presentFault();

  private constructor(target: number, rewrite: Rewrite | null) {
    this.#server = createServer((client) => {
      this.#accept(client, target, rewrite);
    });
  }

  static async listen(target: number, rewrite: Rewrite | null = null): Promise<TcpProxy> {
    const proxy = new TcpProxy(target, rewrite);
    proxy.#server.listen(0, HOST);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes the place of the one before; none mends it. */
  set(fault: Fault = {}): void {
    this.#fault = fault;
    if (fault.cut === true) this.#end();
    this.#present.abort();
    this.#present = presentFault();
  }

  close(): void {
    this.#server.close();
    this.#end();
  }

  #end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(client: Socket, target: number, rewrite: Rewrite | null): void {
    if (this.#fault.cut === true) {
      client.destroy();
      return;
    }
    const server = connect({ port: target, host: HOST, noDelay: true });
    client.setNoDelay(true);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        // Both ends see the end of either.
        client.destroy();
        server.destroy();
      });
    }
    void this.#pump(client, server);
    void this.#pump(rewrite === null ? server : rewrite(server), client);
  }

  async #pump(from: AsyncIterable<Buffer>, to: Socket): Promise<void> {
    try {
      for await (const piece of from) {
        await this.#hold(piece.length);
        if (!to.write(piece)) await once(to, 'drain');
      }
    } catch {
      // It was cut; `close` tells the other side.
    }
    to.end();
  }

  async #hold(bytes: number): Promise<void> {
    while (this.#fault.silent === true) await changed(this.#present.signal);
    const { delayMs = 0, bytesPerSecond = Infinity } = this.#fault;
    const ms = delayMs + (bytes * 1000) / bytesPerSecond;
    if (ms > 0) await sleep(ms, undefined, { signal: this.#present.signal }).catch(() => undefined);
  }
}

/** As many listen as there are connections. */
function presentFault(): AbortController {
  const present = new AbortController();
  setMaxListeners(0, present.signal);
  return present;
}

async function changed(present: AbortSignal): Promise<void> {
  await new Promise((resolve) => {
    present.addEventListener('abort', resolve, { once: true });
  });
}
