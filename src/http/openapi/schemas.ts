/** The shapes of bodies, as JSON Schema 2020-12: what `#/components/schemas` of the description holds. */

import { HEALTH_STATES } from '../health.js';

export type Schema = Readonly<Record<string, unknown>>;

const string: Schema = { type: 'string' };
const boolean: Schema = { type: 'boolean' };
const integer: Schema = { type: 'integer' };
const count: Schema = { type: 'integer', minimum: 0 };
/** Milliseconds since 1970. */
const time: Schema = { type: 'number', description: 'Milliseconds since 1970.' };

export function list(items: Schema): Schema {
  return { type: 'array', items };
}

export function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

/** With these fields and no others; those whose names end in `?` may be left out. */
export function object(fields: Readonly<Record<string, Schema>>, description?: string): Schema {
  const entries = Object.entries(fields);
  return {
    type: 'object',
    ...(description !== undefined && { description }),
    properties: Object.fromEntries(
      entries.map(([name, schema]) => [name.endsWith('?') ? name.slice(0, -1) : name, schema]),
    ),
    required: entries.map(([name]) => name).filter((name) => !name.endsWith('?')),
    additionalProperties: false,
  };
}

export function mapOf(values: Schema): Schema {
  return { type: 'object', additionalProperties: values };
}

const anyJson: Schema = { description: 'Any JSON.' };
const base64: Schema = { ...string, contentEncoding: 'base64' };
const anyObject: Schema = { type: 'object' };
const connectorState: Schema = {
  type: 'string',
  enum: ['UNASSIGNED', 'RUNNING', 'PAUSED', 'STOPPED', 'FAILED', 'RESTARTING'],
};
const taskConfig = object({ running: count, refused: orNull(count), reason: orNull(string) });
const unit = {
  state: connectorState,
  worker_id: string,
  'version?': string,
  'trace?': string,
  'stalled?': object({ since: time, call: string, 'cause?': string }),
  'skipped?': count,
  'notes?': list(object({ code: string, since: time, message: string })),
  'progress?': object({ text: string, 'percent?': { type: 'number' }, since: time, at: time }),
  'passive?': object({ since: time, 'until?': time }),
  'config?': taskConfig,
  'restart?': object({ at: time, left: count }),
  'causes?': list(object({ at: time, cause: string, worker_id: string })),
};
const connectorType: Schema = { type: 'string', enum: ['source', 'sink', 'unknown'] };
const definition = {
  name: string,
  type: string,
  required: boolean,
  default_value: orNull(string),
  importance: string,
  documentation: string,
  group: orNull(string),
  order_in_group: integer,
  width: string,
  display_name: string,
  dependents: list(string),
};
const signalAnswer = {
  state: { type: 'string', enum: ['WAITING', 'ANSWERED', 'FAILED'] },
  'answer?': anyJson,
  'error?': object({ code: string, message: string }),
  'worker_id?': string,
  'at?': time,
};

export const SCHEMAS = {
  Error: object({
    error_code: { type: 'integer', minimum: 400, maximum: 599, description: 'The HTTP status.' },
    message: string,
    code: { ...string, description: 'Stays the same between versions.' },
    'errors?': list(object({ field: string, value: orNull(string), reason: string })),
    'errorCode?': { type: 'integer', description: "RocketMQ Connect's name of the status." },
  }),
  Worker: object({ version: string, commit: string, kafka_cluster_id: string, worker_id: string }),
  Records: object({
    queues: list(
      object({
        queue: count,
        startOffset: count,
        endOffset: count,
        from: { ...count, description: 'The first offset that was read.' },
        next: { ...count, description: 'The first offset that was not read: where to go on.' },
      }),
    ),
    records: list(ref('ShownRecord')),
    stopped: {
      anyOf: [{ type: 'string', enum: ['BYTES', 'TIME'] }, { type: 'null' }],
      description: 'Why fewer records are here than were asked for.',
    },
  }),
  ShownRecord: {
    ...object({
      topic: string,
      queue: count,
      offset: count,
      timestamp: integer,
      'original_topic?': string,
      'key?': anyJson,
      'key_schema?': ref('ShownSchema'),
      'value?': anyJson,
      'value_schema?': ref('ShownSchema'),
      'headers?': list(object({ key: string, value: anyJson, 'schema?': ref('ShownSchema') })),
      'dropped?': { const: true, description: 'A transform leaves it out.' },
      'error?': object({ code: string, message: string }),
      'raw?': object({
        key: orNull(base64),
        value: orNull(base64),
        headers: list(object({ key: string, value: orNull(base64) })),
      }),
    }),
    description: 'A record: converted, or with an error and its first bytes.',
  },
  Preview: object({
    type: { type: 'string', enum: ['source', 'sink'] },
    records: list(ref('PreviewedRecord')),
    stopped: {
      anyOf: [{ type: 'string', enum: ['BYTES', 'TIME', 'ERROR'] }, { type: 'null' }],
      description: 'Why fewer records are here than were asked for.',
    },
    'error?': object({ code: string, message: string }, 'What a poll of the source failed with.'),
    'topics?': list(
      object({
        topic: string,
        queues: list(
          object({ queue: count, startOffset: count, endOffset: count, from: count, next: count }),
        ),
      }),
    ),
  }),
  PreviewedRecord: {
    ...object({
      'topic?': string,
      'original_topic?': string,
      'queue?': orNull(count),
      'offset?': count,
      'timestamp?': orNull(integer),
      'source_partition?': anyObject,
      'source_position?': anyObject,
      'key?': anyJson,
      'key_schema?': ref('ShownSchema'),
      'value?': anyJson,
      'value_schema?': ref('ShownSchema'),
      'headers?': list(object({ key: string, value: anyJson, 'schema?': ref('ShownSchema') })),
      'dropped?': { const: true, description: 'A transform leaves it out.' },
      'error?': object({ code: string, message: string }),
      'raw?': anyObject,
    }),
    description:
      'A record after the transforms: as the sink would be given it, or as the source would write it.',
  },
  ShownSchema: object({ type: string, 'optional?': boolean, 'name?': string, 'version?': integer }),
  LoggerLevel: object({
    level: {
      type: 'string',
      enum: ['ALL', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'OFF'],
    },
    last_modified: orNull(time),
  }),
  LevelSet: { ...object({ level: string }), additionalProperties: true },
  Health: object({ status: { type: 'string', enum: ['healthy', 'starting', 'unhealthy'] }, message: string }),
  Tree: {
    type: 'object',
    description: 'A supervisor or an actor.',
    properties: {
      id: string,
      kind: string,
      state: string,
      restarts: count,
      children: list(ref('Tree')),
    },
    required: ['id', 'kind', 'state', 'restarts'],
  },
  Node: object({
    id: string,
    state: { type: 'string', enum: ['JOINING', 'ONLINE', 'LEAVING', 'OFFLINE'] },
    drained: boolean,
    load: { type: 'number' },
    tasks: count,
    connectors: count,
    heartbeatAgeMs: orNull(integer),
    joinedAt: orNull(time),
    restUrl: orNull(string),
  }),
  Rebalance: object({
    dryRun: boolean,
    moves: list(object({ connector: string, task: orNull(count), from: orNull(string), to: orNull(string) })),
    reason: orNull(string),
  }),
  Config: { ...mapOf(string), description: "A connector's configuration." },
  ConfigSent: {
    ...mapOf({ type: ['string', 'number', 'boolean'] }),
    description: 'Numbers and booleans are taken as the text that was sent.',
  },
  ConfigPatch: {
    ...mapOf({ type: ['string', 'number', 'boolean', 'null'] }),
    description: 'null removes a key.',
  },
  CreateConnector: object({
    'name?': string,
    config: ref('ConfigSent'),
    'initial_offsets?': {
      anyOf: [
        list(object({ partition: anyObject, offset: orNull(anyObject) })),
        { ...string, description: 'Of a sink: earliest, latest, or a time, such as 2026-03-01T08:30:00Z.' },
      ],
    },
    'initial_state?': { type: 'string', pattern: '^(?i:running|paused|stopped)$' },
  }),
  ConnectorInfo: object({
    name: string,
    config: ref('Config'),
    tasks: list(object({ connector: string, task: count })),
    type: connectorType,
  }),
  TaskState: object({ id: count, ...unit }),
  ConnectorStatus: object({
    name: string,
    connector: object(unit),
    tasks: list(ref('TaskState')),
    type: connectorType,
    'config?': taskConfig,
  }),
  Connectors: {
    anyOf: [
      list(string),
      mapOf(
        object({
          'info?': ref('ConnectorInfo'),
          'status?': ref('ConnectorStatus'),
          'health?': ref('ConnectorHealth'),
        }),
      ),
    ],
  },
  ConnectorHealth: object({
    state: { type: 'string', enum: [...HEALTH_STATES] },
    message: { ...string, description: 'What is so, in a line for people.' },
    action: { ...orNull(string), description: 'What to do about it; null: nothing.' },
  }),
  Tasks: list(object({ id: object({ connector: string, task: count }), config: ref('Config') })),
  Offsets: object({
    offsets: list(
      object({
        partition: anyObject,
        offset: anyObject,
        'lag?': object({ records: count, seconds: { type: 'number', minimum: 0 } }),
      }),
    ),
  }),
  OffsetsSent: object({
    offsets: list(object({ partition: anyObject, offset: orNull(anyObject) })),
  }),
  TopicSummary: object({ name: string, queues: count, internal: boolean }),
  TopicDetails: object({
    name: string,
    internal: boolean,
    queues: list(object({ queue: count, startOffset: count, endOffset: count })),
    retentionMs: orNull(count),
    retentionBytes: orNull(count),
    connectors: list(string),
  }),
  Message: object({ message: string }),
  SignalSent: object({
    type: { type: 'string', minLength: 1, maxLength: 100 },
    'data?': anyJson,
    'to?': { enum: ['all', 'connector', 'tasks', null] },
    'task?': orNull(count),
    'id?': orNull({ type: 'string', minLength: 1, maxLength: 64 }),
  }),
  Signal: object({
    id: string,
    type: string,
    data: anyJson,
    sent: time,
    state: { type: 'string', enum: ['WAITING', 'ANSWERED'] },
    'connector?': object(signalAnswer),
    tasks: list(object({ id: count, ...signalAnswer })),
  }),
  Plugins: list(object({ class: string, type: string, version: string })),
  Definition: object({
    ...definition,
    'format?': { type: 'string', enum: ['duration', 'size', 'map'] },
    'secret?': boolean,
  }),
  Validation: object({
    name: string,
    error_count: count,
    'dry_run?': { type: 'string', enum: ['PASSED', 'FAILED', 'SKIPPED', 'NOT_SUPPORTED'] },
    'warnings?': list(object({ field: string, reason: string })),
    groups: list(string),
    configs: list(
      object({
        definition: object(definition),
        value: object({
          name: string,
          value: orNull(string),
          recommended_values: list(string),
          errors: list(string),
          visible: boolean,
        }),
      }),
    ),
  }),
  TransformTests: {
    type: 'object',
    properties: {
      config: ref('ConfigSent'),
      tests: list({
        type: 'object',
        properties: { name: string, in: anyJson, out: anyJson },
        required: ['in'],
        additionalProperties: false,
      }),
    },
    required: ['config', 'tests'],
  },
  TransformTestReport: object({
    passed: count,
    failed: count,
    tests: list(
      object({
        name: string,
        passed: boolean,
        differences: list(object({ path: string, expected: string, actual: string })),
        out: anyJson,
      }),
    ),
  }),
  ImportSent: {
    description:
      'A connector, with or without `config` around its keys; a list of them; an answer of GET /connectors?expand=info; or `{"files": [{"name": …, "content": …}]}`. As text/plain: properties.',
    oneOf: [anyObject, { type: 'array' }],
  },
  Import: object({
    created: count,
    refused: count,
    connectors: list(
      object({
        origin: string,
        name: string,
        class: string,
        plugin: orNull(string),
        type: connectorType,
        state: { type: 'string', enum: ['CREATED', 'VALID', 'EXISTS', 'REFUSED', 'NOT_REACHED'] },
        keys: list(
          object({
            key: string,
            verdict: { type: 'string', enum: ['used', 'renamed', 'ignored', 'unsupported', 'invalid'] },
            'to?': string,
            'reason?': string,
          }),
        ),
        errors: list(object({ field: string, value: orNull(string), reason: string })),
        notes: list(string),
      }),
    ),
    problems: list(object({ origin: string, reason: string })),
  }),
} as const satisfies Record<string, Schema>;

export type SchemaName = keyof typeof SCHEMAS;

export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** A name that there is. */
export function schema(name: SchemaName): Schema {
  return ref(name);
}
