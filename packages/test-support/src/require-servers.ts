/** Servers that tests use where they are: found by environment variables, else where their packages put them. */
import { once } from 'node:events';
import { connect } from 'node:net';

export interface Server {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

const { env } = process;

/** `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, as PostgreSQL's own programs; the database is `PGDATABASE`. */
export const POSTGRES: Server & { readonly database: string } = {
  host: env['PGHOST'] ?? '127.0.0.1',
  port: Number(env['PGPORT'] ?? 5432),
  user: env['PGUSER'] ?? 'postgres',
  password: env['PGPASSWORD'] ?? '',
  database: env['PGDATABASE'] ?? 'postgres',
};

/** `MARIADB_HOST`, `MARIADB_PORT`, `MARIADB_USER`, `MARIADB_PASSWORD`. */
export const MARIADB: Server = {
  host: env['MARIADB_HOST'] ?? '127.0.0.1',
  port: Number(env['MARIADB_PORT'] ?? 3306),
  user: env['MARIADB_USER'] ?? 'root',
  password: env['MARIADB_PASSWORD'] ?? '',
};

/** For `requireService`: null where `enter`, which connects and ends, gets in, else why not.. */
export async function missingServer(
  name: string,
  { host, port }: Server,
  enter: () => Promise<void>,
): Promise<string | null> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    await enter();
    return null;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `${name} at ${host}:${port} cannot be used (${why})`;
  } finally {
    socket.destroy();
  }
}
