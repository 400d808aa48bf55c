/** A source that reads the rows of all tables of a schema by their id, also of tables that come while it runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import {
  ConfigError,
  type ConfigIssue,
  type ConnectorContext,
  type JsonObject,
  type ParsedConfig,
  type Plugin,
  type RawConfig,
  type SourceConnector,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '@troupe/sdk';
import { asConnectError, connect, CONNECTION, sqlState } from './postgres-connection.js';
import { ID, idOf, partitionOf, TableReader } from './postgres-table.js';

const VERSION = '1.0.0';
const UNDEFINED_TABLE = '42P01';
/** What a topic may be called. */
const TOPIC = /^[A-Za-z0-9._%|-]{1,249}$/;

/** Tables whose primary key is a whole number named `id`, which a sequence gives. */
const TABLES = `
  SELECT c.relname AS name FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1
  JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND a.attname = $2 AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
  ORDER BY c.relname`;

/** What the plan tells a task, as JSON in `task.plan`. */
interface TaskPlan {
  readonly tables: readonly string[];
  /** Tables that are gone, whose positions are to be forgotten. */
  readonly gone: readonly string[];
}

/** Fields with a `!` are set in `start`, which comes before all other calls. */
class PostgresTablesTask implements SourceTask {
  #context!: SourceTaskContext;
  #config!: ParsedConfig;
  #client: pg.Client | null = null;
  #tables: TableReader[] = [];
  #gone: readonly JsonObject[] = [];
  /** The table whose turn it is. */
  #turn = 0;

  async start(context: SourceTaskContext, config: ParsedConfig, raw: RawConfig): Promise<void> {
    this.#context = context;
    this.#config = config;
    const [schema, prefix] = [config.string('schema'), config.string('topic.prefix')];
    const { tables, gone } = planOf(raw);
    this.#gone = gone.map((table) => partitionOf(schema, table));
    this.#tables = tables.map((table) => {
      const position = context.position(partitionOf(schema, table));
      return new TableReader(schema, table, prefix + table, position);
    });
    this.#client = await connect(config, context.signal);
  }

  async poll(): Promise<readonly SourceRecord[]> {
    const [context, config] = [this.#context, this.#config];
    for (const partition of this.#gone) context.retire(partition);
    this.#gone = [];
    try {
      this.#client ??= await connect(config, context.signal);
      for (const table of this.#inTurn()) {
        const records = await this.#read(this.#client, table, config.int('batch.rows'));
        if (records.length > 0) return records;
      }
    } catch (error) {
      if (context.signal.aborted) return [];
      throw error;
    }
    await sleep(config.duration('poll.interval'), undefined, { signal: context.signal }).catch(
      () => undefined,
    );
    return [];
  }

  async #read(client: pg.Client, table: TableReader, rows: number): Promise<SourceRecord[]> {
    try {
      return await table.next(client, rows);
    } catch (error) {
      if (sqlState(error) === UNDEFINED_TABLE) {
        // Dropped since the plan.
        this.#context.requestReplan();
        return [];
      }
      if (error instanceof Error && error.name === 'DataError') throw error;
      this.#client = null;
      void client.end().catch(() => undefined);
      throw asConnectError(error);
    }
  }

  /** All tables, another one first each time: a large one does not keep the others waiting. */
  #inTurn(): TableReader[] {
    this.#turn = (this.#turn + 1) % Math.max(1, this.#tables.length);
    return [...this.#tables.slice(this.#turn), ...this.#tables.slice(0, this.#turn)];
  }

  async stop(): Promise<void> {
    await this.#client?.end().catch(() => undefined);
  }
}

async function plan(
  context: ConnectorContext,
  config: ParsedConfig,
  raw: RawConfig,
  maxTasks: number,
): Promise<readonly RawConfig[]> {
  const schema = config.string('schema');
  const tables = await tablesOf(context, config);
  const known = await context.positions({ schema });
  const gone = known
    .flatMap(({ partition: { table } }) =>
      typeof table === 'string' && !tables.includes(table) ? [table] : [],
    )
    .sort();
  const tasks = Math.min(maxTasks, Math.max(1, tables.length));
  return Array.from({ length: tasks }, (_, task) => {
    const own: TaskPlan = {
      tables: tables.filter((_, i) => i % tasks === task),
      gone: task === 0 ? gone : [],
    };
    return { ...raw, 'task.plan': JSON.stringify(own) };
  });
}

async function tablesOf(context: ConnectorContext, config: ParsedConfig): Promise<string[]> {
  const client = await connect(config, context.signal);
  try {
    const { rows } = await client.query<{ name: string }>(TABLES, [config.string('schema'), ID]);
    return rows
      .map(({ name }) => name)
      .filter((name) => {
        const good = TOPIC.test(config.string('topic.prefix') + name);
        if (!good) context.log.warn(`no topic can have the name of the table ${name}`);
        return good;
      });
  } catch (error) {
    throw asConnectError(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function planOf(raw: RawConfig): TaskPlan {
  const plan: unknown = JSON.parse(raw['task.plan'] ?? '{}');
  const names = (key: string): string[] => {
    const list: unknown = typeof plan === 'object' && plan !== null ? Reflect.get(plan, key) : undefined;
    return Array.isArray(list) ? list.filter((item) => typeof item === 'string') : [];
  };
  return { tables: names('tables'), gone: names('gone') };
}

const connector: SourceConnector = {
  kind: 'source',
  version: VERSION,
  config: [
    ...CONNECTION,
    {
      name: 'schema',
      type: 'STRING',
      importance: 'HIGH',
      documentation: 'All its tables are read whose primary key is a whole number named id.',
      validator: (value) => (value === '' ? 'must not be empty' : null),
    },
    {
      name: 'topic.prefix',
      type: 'STRING',
      importance: 'MEDIUM',
      defaultValue: '',
      documentation: 'What stands before the name of a table in that of its topic.',
    },
    {
      name: 'batch.rows',
      type: 'INT',
      importance: 'LOW',
      defaultValue: '1000',
      min: 1,
      max: 100_000,
      documentation: 'How many rows are read at once.',
    },
    {
      name: 'poll.interval',
      type: 'DURATION',
      importance: 'LOW',
      defaultValue: '500 ms',
      min: 10,
      max: 60_000,
      documentation: 'How long to wait when no table has new rows.',
    },
    {
      name: 'discovery.interval',
      type: 'DURATION',
      importance: 'MEDIUM',
      defaultValue: '30 s',
      min: 1000,
      documentation: 'How often to look for tables that came or went.',
    },
  ],
  async connect(context, config): Promise<readonly ConfigIssue[]> {
    if ((await tablesOf(context, config)).length > 0) return [];
    const schema = config.string('schema');
    return [{ field: 'schema', value: schema, reason: 'has no table with a primary key named id yet' }];
  },
  taskConfigs: plan,
  replanAfterMs: (config) => config.duration('discovery.interval'),
  checkPositions(_context, config, _raw, changes) {
    for (const { partition, position } of changes) {
      const { schema, table, ...others } = partition;
      if (schema !== config.string('schema') || typeof table !== 'string' || Object.keys(others).length > 0)
        throw new ConfigError(`${JSON.stringify(partition)} is no table of the schema`, { field: 'schema' });
      if (position !== null) idOf(position);
    }
  },
  createTask: () => new PostgresTablesTask(),
};

const plugin: Plugin = { type: 'source', plugin: connector };
export default plugin;
