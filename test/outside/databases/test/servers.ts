/** The servers that the tests use, and a way to them that can be cut. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

const { env } = process;

export const POSTGRES = {
  host: env['PGHOST'] ?? '127.0.0.1',
  port: Number(env['PGPORT'] ?? 5432),
  user: env['PGUSER'] ?? 'postgres',
  password: env['PGPASSWORD'] ?? '',
  database: env['PGDATABASE'] ?? 'postgres',
};

export const MARIADB = {
  host: env['MARIADB_HOST'] ?? '127.0.0.1',
  port: Number(env['MARIADB_PORT'] ?? 3306),
  user: env['MARIADB_USER'] ?? 'root',
  password: env['MARIADB_PASSWORD'] ?? '',
};

/** Of a schema, a database, a user: nobody else has it. */
export function ownName(): string {
  return `accept_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
}

/** A port of this machine that leads to a server, until it is cut: then connections end, and new ones are refused. */
export class Way {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  port = 0;

  constructor(host: string, port: number) {
    this.#server = createServer((client) => {
      const server = connect(port, host);
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => undefined);
        from.once('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }

  async open(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.port = address.port;
  }

  async cut(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Cut already or not. */
  async end(): Promise<void> {
    if (this.#server.listening) await this.cut();
  }
}
