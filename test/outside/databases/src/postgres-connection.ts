import pg from 'pg';
import { FatalError, RetriableError, type ConfigDefinition, type ParsedConfig } from '@troupe/sdk';

export const CONNECTION: ConfigDefinition = [
  {
    name: 'host',
    type: 'STRING',
    importance: 'HIGH',
    documentation: 'A name, an address or the folder of a socket.',
  },
  {
    name: 'port',
    type: 'INT',
    importance: 'MEDIUM',
    defaultValue: '5432',
    min: 1,
    max: 65535,
    documentation: 'The port of the server.',
  },
  { name: 'database', type: 'STRING', importance: 'HIGH', documentation: 'The name of the database.' },
  {
    name: 'user',
    type: 'STRING',
    importance: 'HIGH',
    documentation: 'Who reads. Needs SELECT on the tables.',
  },
  { name: 'password', type: 'PASSWORD', importance: 'HIGH', defaultValue: '', documentation: 'Of the user.' },
];

const CONNECT_MS = 5000;
const QUERY_MS = 60_000;

/** Values come as text: pg's own parsers make local times of dates, and lose digits. */
export const AS_TEXT = { getTypeParser: () => (text: string) => text };

/** The caller ends it. Whatever the server answers later goes to the query that is asked then. */
export async function connect(config: ParsedConfig, signal: AbortSignal): Promise<pg.Client> {
  const client = new pg.Client({
    host: config.string('host'),
    port: config.int('port'),
    database: config.string('database'),
    user: config.string('user'),
    password: config.secret('password').reveal(),
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: QUERY_MS,
    options: '-c timezone=UTC -c datestyle=ISO',
  });
  // Without a listener the loss of a connection that nobody uses would end the thread.
  client.on('error', () => undefined);
  const end = (): void => void client.end().catch(() => undefined);
  signal.addEventListener('abort', end, { once: true });
  client.once('end', () => {
    signal.removeEventListener('abort', end);
  });
  try {
    await client.connect();
    signal.throwIfAborted();
    return client;
  } catch (error) {
    end();
    throw asConnectError(error);
  }
}

/** Who is not let in, and what is asked for wrongly, is so the next time as well. */
export function asConnectError(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  if (/^(28|3D|3F|42)/.test(sqlState(error)))
    return new FatalError(`PostgreSQL refuses: ${message}`, { cause: error });
  return new RetriableError(`PostgreSQL cannot be reached: ${message}`, { cause: error });
}

/** Empty: the server did not say it. */
export function sqlState(error: unknown): string {
  return error instanceof pg.DatabaseError ? (error.code ?? '') : '';
}
