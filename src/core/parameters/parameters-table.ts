/**
 * Every parameter of a node, once. The type `Parameters`, the checks, `-h` and docs/configuration.md all come
 * from this table; keys that RocketMQ Connect has carry its names.
 */
import type { ProviderSetting } from './provider-settings.js';
import { UNKNOWN_KEYS_MODES } from './unknown-keys-mode.js';
import {
  addresses,
  boolean,
  choice,
  integer,
  limit,
  list,
  path,
  secret,
  share,
  text,
  topicName,
  type Entry,
  type ParameterDefinition,
  type ParameterGroup,
  type PropertyOf,
  type ValueOf,
} from './parameters-definition.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const TIB = 1024 * GIB;

const table = {
  Node: {
    workerId: {
      ...text(
        'DEFAULT_WORKER_1',
        /^[A-Za-z0-9._:@-]{1,127}$/,
        '1 to 127 letters, digits, `.`, `_`, `:`, `@` or `-`',
      ),
      doc: 'Names this node. Every node of a cluster needs its own.',
    },
    pluginPaths: {
      ...list('paths'),
      doc: 'Folders in which packages with plugins are found, beside the built-in ones.',
    },
    'plugins.installed.enable': {
      ...boolean(true),
      doc: 'Whether plugins are also found among the packages that npm has installed beside Troupe, in the same `node_modules`.',
    },
    connectorsDir: {
      ...path('conf/connectors'),
      doc: 'Each file in this folder that ends in `.json` is applied at the start when it is new or has changed: `{"name": …, "config": {…}}`, or flat as Kafka Connect has it; also each `.properties` file that says a `name`. What REST changed or deleted stays so until then. What is wrong with one file is in the log, and stops no other.',
    },
    'config.unknown.keys': {
      ...choice(UNKNOWN_KEYS_MODES, 'auto'),
      doc: 'What becomes of keys of a connector that nothing of it knows, unless it says so itself: `auto` refuses what looks like a misspelling and warns of others; `fail` refuses all; `warn` warns of all, in the answer of validation, in the status and in the log; `ignore` says nothing, as Kafka Connect.',
    },
    'connector.file.paths': {
      ...list('paths'),
      doc: 'Folders in which connectors may read and write files. Without it: wherever this process may, which whoever reaches REST can use; name folders where that is not you alone. Files of plugins, of the program, of the store, of `connectorsDir` and of `config.providers.file.paths` are never allowed, whatever stands here, also not behind symbolic links.',
    },
    'config.providers': {
      ...list('list'),
      doc: 'Names of config providers that are plugins: connectors may then refer to what they have as `${name:path:key}`. `config.providers.NAME.class` says the class, `config.providers.NAME.param.…` what it is to be given, in full or as `${env:VARIABLE}`.',
    },
    'config.providers.env.allow': {
      ...list('list'),
      doc: 'Environment variables that connectors may refer to as `${env:NAME}`. A name that ends in `*` stands for all that begin so.',
    },
    'config.providers.file.paths': {
      ...list('paths'),
      doc: 'Folders with properties files that connectors may refer to as `${file:/path/of/file:key}`.',
    },
    'config.providers.scopes': {
      ...list('list'),
      doc: 'Which connectors may use a variable or file that is allowed above: `connector=env:NAME` or `connector=file:/path`, where the path is of a file, or of a folder for all below; or what a plugin of `config.providers` has: `connector=name:path`, `connector=name:path:key`. Connectors and variables that end in `*` stand for all that begin so. What no scope names is for all connectors.',
    },
    'key.converter': {
      ...text('StringConverter'),
      alias: 'keyConverter',
      doc: 'Converter of record keys for connectors that name none.',
    },
    'value.converter': {
      ...text('StringConverter'),
      alias: 'valueConverter',
      doc: 'Converter of record values for connectors that name none.',
    },
    'header.converter': {
      ...text('SimpleHeaderConverter'),
      alias: 'headerConverter',
      doc: "Converter of the values of records' headers for connectors that name none.",
    },
  },
  REST: {
    httpPort: {
      ...integer(null, 8082, 0, 65_535),
      doc: 'Port of the REST API. 0 takes any free one, which the log then names.',
    },
    httpHost: {
      ...text('127.0.0.1', /^[A-Za-z0-9.:_-]+$/, 'an IP address or a host name'),
      doc: 'Address that REST listens on. There is no login: whoever reaches this address controls the node.',
    },
    'http.allowed.hosts': {
      ...list('list'),
      doc: 'Host names that requests may address, besides loopback and `httpHost`. Others are refused, so that a web site cannot reach the node through a name that it controls.',
    },
    'rest.legacy': {
      ...boolean(true),
      doc: "Whether RocketMQ Connect's REST routes are there, beside Kafka Connect's: several of their `GET`s change or delete connectors.",
    },
    'http.max.body.bytes': {
      ...integer('bytes', MIB, 1024, 64 * MIB),
      doc: 'A request with a larger body is refused.',
    },
    'http.request.timeout.ms': {
      ...integer('ms', 90_000, 100, HOUR_MS),
      doc: 'A request that takes longer is answered with an error; the work it asked for may still be done. More than `planning.timeout.ms`.',
    },
  },
  Cluster: {
    connectClusterId: {
      ...topicName('DefaultConnectCluster'),
      doc: 'Names the cluster that this node belongs to.',
    },
    clusterStoreTopic: {
      ...topicName('connector-cluster-topic'),
      doc: 'Topic of the members and of their claims on tasks.',
    },
    configStoreTopic: {
      ...topicName('connector-config-topic'),
      doc: 'Topic of connector configs, target states and task configs.',
    },
    positionStoreTopic: {
      ...topicName('connector-position-topic'),
      doc: 'Topic of the positions of sources.',
    },
    offsetStoreTopic: {
      ...topicName('connector-offset-topic'),
      doc: 'Topic of the offsets of sinks.',
    },
    'heartbeat.interval.ms': {
      ...integer('ms', 1000, 50, 60_000),
      doc: 'How often a node says that it is alive. Less than `lease.ms`.',
    },
    'lease.ms': {
      ...integer('ms', 3000, 100, 600_000),
      doc: 'A node that has not read its own heartbeat back for this long suspends its tasks. Less than `eviction.timeout.ms`: the difference is how far the clocks of two nodes may drift apart before both could run one task.',
    },
    'eviction.timeout.ms': {
      ...integer('ms', 5000, 200, 600_000),
      doc: 'A node that was silent for this long is evicted, and the others take its tasks.',
    },
    'cold.start.wait.ms': {
      ...integer('ms', 5000, 0, 600_000),
      doc: 'Where the topics of the cluster are empty and come back from the files of the nodes: how long a node waits for others, whose files may be newer.',
    },
    'rebalance.moves.max': {
      ...integer(null, 4, 1, 10_000),
      doc: 'How many tasks of this node may be on their way to other nodes at once, stopped here and not running there yet, when a node joins or is drained.',
    },
  },
  Store: {
    storePathRootDir: {
      ...path('data/store'),
      doc: 'Folder of this node alone, for the four files `connectorConfig.json`, `taskConfig.json`, `position.json` and `offset.json`.',
    },
    'store.path': {
      ...path(null),
      doc: 'Folder of the embedded log; without it, `log` below `storePathRootDir`. Nodes on one machine that are given the same folder are one cluster (docs/cluster.md).',
    },
    configPersistInterval: {
      ...integer('ms', 20_000, 100, HOUR_MS),
      doc: 'How often `connectorConfig.json` and `taskConfig.json` are written, when there is something new.',
    },
    positionPersistInterval: {
      ...integer('ms', 20_000, 100, HOUR_MS),
      doc: 'How often `position.json` is written, when there is something new.',
    },
    offsetPersistInterval: {
      ...integer('ms', 20_000, 100, HOUR_MS),
      doc: 'How often `offset.json` is written, when there is something new.',
    },
    'store.max.bytes': {
      ...integer('bytes', 10 * GIB, 16 * MIB, 16 * TIB),
      doc: "Largest size of the embedded log. When records take nine tenths of it, appends are refused (and retried) until retention has made room. The node's own topics are not refused: they are a few megabytes, or some times what all positions, offsets and configurations take. Records also leave a sixteenth of the disk free, at most 16 MiB, and as much is kept in a file `ballast` beside the log: when the disk is full all the same, the node's own writes, deletions among them, take from that.",
    },
    'store.cache.bytes': {
      ...integer('bytes', 8 * MIB, 0, 4 * GIB),
      doc: 'Memory for batches that were appended or read lately, so that a sink which keeps up reads nothing from the disk.',
    },
    'store.retention.check.ms': {
      ...integer('ms', 60_000, 100, DAY_MS),
      doc: 'How often the store looks for records that retention lets it delete.',
    },
  },
  Topics: {
    'topic.creation.enable': {
      ...boolean(true),
      alias: 'autoCreateTopicEnable',
      doc: 'Whether the topics that sources write to are created when they do not exist. Otherwise such a task fails. A sink creates none: it waits for those that it is to read.',
    },
    'topic.tracking.enable': {
      ...boolean(true),
      doc: 'Whether it is noted which topics each connector has used (`GET /connectors/{name}/topics`).',
    },
    'topic.tracking.allow.reset': {
      ...boolean(true),
      doc: 'Whether `PUT /connectors/{name}/topics/reset` may have that forgotten.',
    },
    'topic.queues': {
      ...integer(null, 1, 1, 1024),
      doc: 'Queues of a topic that is created. More queues let more tasks of one sink work at once; order holds within a queue.',
    },
    'topic.retention.ms': {
      ...limit('ms', 7 * DAY_MS, 1000, 3650 * DAY_MS),
      doc: 'Records of a topic that is created may be deleted when they are older than this, read or not.',
    },
    'topic.retention.bytes': {
      ...limit('bytes', GIB, MIB, 16 * TIB),
      doc: 'The oldest records beyond this size of a queue may be deleted, but only after every sink that reads the topic is past them.',
    },
  },
  Tasks: {
    'offset.flush.interval.ms': {
      ...integer('ms', 1000, 10, HOUR_MS),
      alias: 'offsetCommitIntervalMsConfig',
      doc: 'How often a sink task that was given records flushes them and commits its offsets: what it put since then is put again after a crash. A connector may set its own.',
    },
    'task.start.timeout.ms': {
      ...integer('ms', 60_000, 100, HOUR_MS),
      alias: 'maxStartTimeoutMills',
      doc: 'A task that has not started after this long is ended and started again, as after a fault.',
    },
    'task.stop.timeout.ms': {
      ...integer('ms', 10_000, 100, HOUR_MS),
      alias: 'maxStopTimeoutMills',
      doc: 'How long a task may take to flush, commit and stop before its thread is ended by force.',
    },
    'task.stall.timeout.ms': {
      ...integer('ms', 30_000, 100, DAY_MS),
      doc: "A call of a plugin that takes longer is shown as *stalled since …* in the task's status.",
    },
    'task.passivate.after.ms': {
      ...integer('ms', 60_000, 0, DAY_MS),
      doc: 'A sink that has had nothing to do for this long, and a source that says when it wants to be called next, gives up its thread and stays RUNNING, with `passive` in its status: the next record, or the time, starts it again within a fraction of a second. 0: threads are kept. A connector may set its own, as `task.passivate.after.ms` in its config.',
    },
    'task.heap.max.mb': {
      ...integer('MB', 256, 16, 65_536),
      doc: "JavaScript heap that a task's thread may keep (old generation). A connector may set its own, as `task.heap.max.mb` in its config. V8's own limit, at which it may end the whole process, is four times that, and at least 1 GB.",
    },
    'task.heap.ceiling.mb': {
      ...integer('MB', 1024, 16, 65_536),
      doc: 'The most that a connector may set as its `task.heap.max.mb`; more counts as this. Never less than `task.heap.max.mb`.',
    },
    'task.external.max.mb': {
      ...integer('MB', 512, 16, 1_048_576),
      doc: "Memory outside the JavaScript heap (Buffers, large strings) that a task's thread may keep. One that holds more is stopped and started again, as after a fault.",
    },
    'task.heap.soft.limit': {
      ...share(0.8, 0.1, 1),
      doc: 'Share of `task.heap.max.mb` at which a task is stopped and started again, before it could end the process.',
    },
    'source.partitions.max': {
      ...integer(null, 100_000, 1, 100_000_000),
      doc: 'Source partitions (files, tables) that a connector may keep positions of. Beyond it its tasks are FAILED with `TOO_MANY_PARTITIONS`: all nodes keep all positions in memory (`actor.heap.max.mb`).',
    },
    'deleted.progress.max': {
      ...integer(null, 100_000, 0, 100_000_000),
      doc: 'Positions, and as many offsets, that are kept of deleted connectors for when they are made anew under the same name. Beyond it the connector that has left most is forgotten first, a minute after its deletion.',
    },
    'quarantine.deaths': {
      ...integer(null, 5, 0, 10),
      doc: 'A task that was running, or a connector that was being planned, at so many deaths of nodes within `quarantine.period.ms` is quarantined: FAILED in the whole cluster, until it is restarted over REST or its config changes. From two deaths earlier on such units are started apart from each other, half of the likeliest at a time, so that those merely beside the culprit are found out. 0: never. The same on all nodes.',
    },
    'quarantine.period.ms': {
      ...integer('ms', 600_000, 1000, HOUR_MS),
      doc: 'The period of `quarantine.deaths`. A task is cleared when its node has lived with it for twice the time that it took before, at least 10 seconds and at most a minute.',
    },
    'task.restart.max': {
      ...integer(null, 10, 0, 1_000_000),
      doc: 'A task that fails more often than this within `task.restart.period.ms` stays down as FAILED, with the cause in its status. A connector whose planning ends so often in a row with `PLANNING_TIMEOUT` or `PLANNING_OUT_OF_MEMORY` does, too. 0: the first fault is the last. A connector may set its own, as its `task.restart.max`, and so for the keys below.',
    },
    'task.restart.period.ms': {
      ...integer('ms', 600_000, 1000, DAY_MS),
      doc: 'The period of `task.restart.max`.',
    },
    'task.restart.backoff.min.ms': {
      ...integer('ms', 500, 1, HOUR_MS),
      doc: 'Wait before the first restart of a task; each further one waits twice as long, with some chance in it.',
    },
    'task.restart.backoff.max.ms': {
      ...integer('ms', 30_000, 1, HOUR_MS),
      doc: 'Longest wait before a restart of a task. Not less than `task.restart.backoff.min.ms`.',
    },
    'task.threads.spare': {
      ...integer(null, 2, 0, 64),
      doc: 'Threads that a node of a cluster keeps ready for tasks that come to it, 12 MB each: a task then runs a tenth of a second of processor time sooner. A node that shares no log (neither `namesrvAddr` nor `store.path`) keeps none.',
    },
  },
  Supervision: {
    'node.memory.max.mb': {
      ...integer('MB', 0, 0, 16_777_216),
      doc: 'Memory of the process, without files that are mapped (Linux), at which the task that holds most is ended as after a fault, if it holds a tenth of this. 0: four fifths of what the machine or the container has.',
    },
    'actor.heap.max.mb': {
      ...integer('MB', 1024, 64, 65_536),
      doc: "Largest JavaScript heap of each of the node's own threads (old generation); a limit, not a reservation. Positions of 100,000 source partitions take about 50 MB in one of them, and twice that while a snapshot is written.",
    },
    'actor.beat.timeout.ms': {
      ...integer('ms', 10_000, 1000, HOUR_MS),
      doc: 'A thread whose event loop has not turned for this long is ended as hung, and started again. Plugins that compute for long must pause in between.',
    },
    'planning.timeout.ms': {
      ...integer('ms', 30_000, 100, HOUR_MS),
      doc: 'How long a connector may take to validate a config or to plan its tasks. Less than `http.request.timeout.ms`.',
    },
    'planning.threads.max': {
      ...integer(null, 2, 1, 64),
      doc: 'Threads for planning and validation. A connector may hold 1 GB in one of them, or a quarter of `node.memory.max.mb` where that is less; beyond it the thread is ended (`PLANNING_OUT_OF_MEMORY`).',
    },
  },
  Logs: {
    'log.level': {
      ...choice(['debug', 'info', 'warn', 'error'], 'info'),
      doc: 'The least serious lines that are written. While a node runs its level can be changed over REST, as that of each of its loggers ([docs/rest.md](rest.md)).',
    },
    'log.format': {
      ...choice(['auto', 'pretty', 'json'], 'auto'),
      doc: '`pretty` is for people, `json` for programs; `auto` is `pretty` on a terminal, else `json`.',
    },
    'log.file': {
      ...path(null),
      doc: 'File that lines are appended to; without it they go to the standard output.',
    },
  },
  RocketMQ: {
    namesrvAddr: {
      ...addresses(),
      doc: 'Name servers of the RocketMQ 5 cluster that holds the log (docs/rocketmq.md). Nodes that are given the same ones, and the same topics, are one cluster. Without it the node has the embedded log.',
    },
    'rocketmq.endpoints': {
      ...addresses(),
      doc: 'RocketMQ 5 proxies of that cluster. With them the nodes publish to their own topics through the proxy, and sinks may have `consume.mode=shared` (docs/rocketmq.md). Without it everything goes to the brokers directly.',
    },
    'rocketmq.cluster': {
      ...text(null),
      doc: "RocketMQ's own name of the cluster in which topics and groups are created (`brokerClusterName`). Without it they are created on all brokers that the name servers know.",
    },
    'rocketmq.max.message.bytes': {
      ...integer('bytes', 4 * MIB, MIB, 32 * MIB),
      alias: 'maxMessageSize',
      doc: 'The most that is sent to a broker at once, and so the largest record. Not more than `maxMessageSize` of the brokers.',
    },
    aclEnable: {
      ...boolean(false),
      doc: 'Whether requests to RocketMQ are signed with `accessKey` and `secretKey`.',
    },
    accessKey: {
      ...secret(),
      doc: 'Needed with `aclEnable=true`.',
    },
    secretKey: {
      ...secret(),
      doc: 'Needed with `aclEnable=true`.',
    },
    'rocketmq.tls.enable': {
      ...boolean(false),
      doc: 'Whether connections to RocketMQ use TLS.',
    },
    'rocketmq.tls.ca.file': {
      ...path(null),
      doc: "File of the certificates (PEM) that RocketMQ's servers are trusted by; without it, those of Node.",
    },
    'rocketmq.tls.verify': {
      ...boolean(true),
      doc: 'Whether the certificates of the servers are verified. Without that anybody in between can read and change everything.',
    },
  },
} as const satisfies Record<ParameterGroup, Record<string, Entry>>;

type Table = typeof table;
type Entries = Table['Node'] &
  Table['REST'] &
  Table['Cluster'] &
  Table['Store'] &
  Table['Topics'] &
  Table['Tasks'] &
  Table['Supervision'] &
  Table['Logs'] &
  Table['RocketMQ'];

export type ParameterKey = keyof Entries;

/** The node's parameters: `parameters.httpPort`, `parameters.taskHeapMaxMb`. Times in ms, paths absolute. */
export type TableParameters = {
  readonly [Key in ParameterKey as PropertyOf<Key>]: ValueOf<Entries[Key]>;
};

export type Parameters = TableParameters & {
  /** Of the plugins in `config.providers`. */
  readonly providerSettings: readonly ProviderSetting[];
};

/** By key, in the order of the table. */
export const PARAMETERS: ReadonlyMap<string, ParameterDefinition> = new Map(
  Object.entries<Record<string, Entry>>(table).flatMap(([group, entries]) =>
    // The table's type holds its groups to ParameterGroup.
    Object.entries(entries).map(
      ([key, entry]) => [key, { ...entry, group: group as ParameterGroup }] as const,
    ),
  ),
);
