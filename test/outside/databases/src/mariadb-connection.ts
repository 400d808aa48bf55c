import { createConnection, type Connection } from 'mysql2/promise';
import {
  ConnectError,
  DataError,
  FatalError,
  RetriableError,
  type ConfigDefinition,
  type ParsedConfig,
} from '@troupe/sdk';

export const CONNECTION: ConfigDefinition = [
  { name: 'host', type: 'STRING', importance: 'HIGH', documentation: 'A name or an address.' },
  {
    name: 'port',
    type: 'INT',
    importance: 'MEDIUM',
    defaultValue: '3306',
    min: 1,
    max: 65535,
    documentation: 'The port of the server.',
  },
  { name: 'database', type: 'STRING', importance: 'HIGH', documentation: 'The name of the database.' },
  { name: 'user', type: 'STRING', importance: 'HIGH', documentation: 'Who writes and makes tables.' },
  { name: 'password', type: 'PASSWORD', importance: 'HIGH', defaultValue: '', documentation: 'Of the user.' },
];

const CONNECT_MS = 5000;
const DENIED = new Set([1044, 1045, 1049, 1142, 1143, 1227, 1698]);
/** Too many connections, shutdown, lock waits, deadlocks, read-only, a table that somebody drops. */
const PASSING = new Set([1040, 1053, 1146, 1205, 1213, 1290, 1317, 1836, 1927]);

export async function connect(config: ParsedConfig): Promise<Connection> {
  try {
    const connection = await createConnection({
      host: config.string('host'),
      port: config.int('port'),
      database: config.string('database'),
      user: config.string('user'),
      password: config.secret('password').reveal(),
      connectTimeout: CONNECT_MS,
      charset: 'utf8mb4',
      supportBigNumbers: true,
      bigNumberStrings: true,
    });
    // Without a listener the loss of a connection that nobody uses would end the thread.
    connection.on('error', () => undefined);
    // Values that do not fit are errors, and a backslash escapes, as mysql2 takes it to do.
    await connection.query(`SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'`);
    return connection;
  } catch (error) {
    throw asConnectError(error);
  }
}

export function asConnectError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ConnectError) return error;
  const [number, state, fatal, code] = ['errno', 'sqlState', 'fatal', 'code'].map((key): unknown =>
    Reflect.get(error, key),
  );
  if (typeof number === 'number' && DENIED.has(number))
    return new FatalError(`MariaDB refuses: ${error.message}`, { cause: error });
  if (typeof state === 'string' && /^2[23]/.test(state))
    return new DataError(`MariaDB cannot take it: ${error.message}`, { cause: error });
  const ofSystem = typeof code === 'string' && typeof state !== 'string';
  if (fatal === true || ofSystem || PASSING.has(Number(number)))
    return new RetriableError(`MariaDB cannot be used: ${error.message}`, { cause: error });
  return error;
}
