/** What a configuration that was written for another runtime is here. Keys that plugins know by several names are not touched. */
export interface Translated {
  readonly config: Readonly<Record<string, string>>;
  /** By the keys that were given. */
  readonly changes: ReadonlyMap<string, KeyChange>;
  /** A sink that is to begin at the end of its topics. */
  readonly fromEnd: boolean;
  /** What was assumed. */
  readonly notes: readonly string[];
}

export interface KeyChange {
  readonly verdict: 'renamed' | 'ignored' | 'unsupported';
  readonly to?: string;
  readonly reason?: string;
}

/** Another connector of ours that does the same; `keys` become ours, and no other key of its own is known. */
interface Counterpart {
  readonly classes: RegExp;
  readonly ours: string;
  readonly keys: Readonly<Record<string, string>>;
}

const COUNTERPARTS: readonly Counterpart[] = [
  {
    classes:
      /^io\.(?:confluent\.connect|aiven\.kafka\.connect)\.http\.HttpSinkConnector$|^(?:Http|HttpSink|HttpSinkConnector)$/,
    ours: 'HttpPostSink',
    keys: { 'http.api.url': 'url', 'http.url': 'url' },
  },
];

const MOVED: Readonly<Record<string, string>> = {
  'max.task': 'tasks.max',
  'max-task': 'tasks.max',
  'max-tasks': 'tasks.max',
  'source-record-converter': 'value.converter',
  'sink-record-converter': 'value.converter',
};

/** Of keys that would be refused, as what they ask for is not what happens here. */
const DROPPED: Readonly<Record<string, string>> = {
  'consumer.override.group.id': 'the group of a sink is connect- and its name, and its offsets are there',
  'task.group.id': 'the group of a sink is connect- and its name, and its offsets are there',
};

const CLASS_KEYS = ['connector.class', 'connector-class'];

/** `isInstalled`: whether there is a connector of that class. */
export function translateConfig(
  given: Readonly<Record<string, string>>,
  isInstalled: (pluginClass: string) => boolean,
): Translated {
  const config = new Map<string, string>();
  const changes = new Map<string, KeyChange>();
  const counterpart = counterpartOf(given, isInstalled);
  let fromEnd = false;
  for (const [key, value] of Object.entries(given)) {
    const to = MOVED[key] ?? counterpart?.keys[key];
    if (counterpart !== null && CLASS_KEYS.includes(key)) {
      config.set('connector.class', counterpart.ours);
      changes.set(key, { verdict: 'renamed', to: `connector.class=${counterpart.ours}` });
    } else if (to !== undefined) {
      if (Object.hasOwn(given, to) || config.has(to))
        changes.set(key, { verdict: 'ignored', reason: `${to} says it` });
      else {
        config.set(to, key.endsWith('-record-converter') ? converterClass(value) : value);
        changes.set(key, { verdict: 'renamed', to });
      }
    } else if (inTurn(key, value) && !Object.hasOwn(given, 'partitioner')) {
      config.set('partitioner', 'round-robin');
      changes.set(key, { verdict: 'renamed', to: 'partitioner=round-robin' });
    } else if (beginsAtEnd(key, value)) {
      fromEnd = true;
      const reason = 'it begins at the end of its topics as they are when it is created';
      changes.set(key, { verdict: 'renamed', to: 'initial_offsets', reason });
    } else if (DROPPED[key] !== undefined) changes.set(key, { verdict: 'ignored', reason: DROPPED[key] });
    else config.set(key, key === 'connect.topicnames' ? value.replaceAll(';', ',') : value);
  }
  return { config: Object.fromEntries(config), changes, fromEnd, notes: notesOn(given, fromEnd) };
}

/** Whether keys that its class does not know mean something to the connector that it stands in for. */
export function isCounterpart(
  given: Readonly<Record<string, string>>,
  isInstalled: (pluginClass: string) => boolean,
): boolean {
  return counterpartOf(given, isInstalled) !== null;
}

function counterpartOf(
  given: Readonly<Record<string, string>>,
  isInstalled: (pluginClass: string) => boolean,
): Counterpart | null {
  const pluginClass = classOf(given);
  if (isInstalled(pluginClass)) return null;
  return COUNTERPARTS.find(({ classes, ours }) => classes.test(pluginClass) && isInstalled(ours)) ?? null;
}

export function classOf(config: Readonly<Record<string, string>>): string {
  return (config['connector.class'] ?? config['connector-class'] ?? '').trim();
}

function inTurn(key: string, value: string): boolean {
  return key === 'producer.override.partitioner.class' && /(?:^|\.)RoundRobinPartitioner$/.test(value.trim());
}

function beginsAtEnd(key: string, value: string): boolean {
  const word = value.trim().toLowerCase();
  return (
    (key === 'consumer.override.auto.offset.reset' && word === 'latest') ||
    (key === 'consume.from.where' && word === 'consume_from_last_offset')
  );
}

/** The first RocketMQ Connect had its converters in other packages. */
function converterClass(value: string): string {
  const simple = value.trim().slice(value.trim().lastIndexOf('.') + 1);
  return ['JsonConverter', 'StringConverter', 'ByteArrayConverter'].includes(simple) ? simple : value.trim();
}

function notesOn(given: Readonly<Record<string, string>>, fromEnd: boolean): readonly string[] {
  const notes: string[] = [];
  const moved = Object.keys(given).map((key) => MOVED[key] ?? key);
  if (!moved.includes('value.converter'))
    notes.push(
      'it names no value.converter: the one of its worker, which is not known here, is replaced by the node’s (value.converter)',
    );
  const ofRocketmq = ['connect.topicnames', 'topicNames'].some((key) => Object.hasOwn(given, key));
  if (ofRocketmq && !fromEnd && !Object.hasOwn(given, 'consume.from.where'))
    notes.push(
      'RocketMQ Connect begins at the end of a topic, and a sink here at its beginning: say consume.from.where=CONSUME_FROM_LAST_OFFSET where the end is meant',
    );
  return notes;
}

/** What to do about a connector that is not installed. */
export function adviceFor(pluginClass: string): string {
  const found = ADVICE.find(([classes]) => classes.test(pluginClass));
  return (
    found?.[1] ??
    'it is a class of Java, which is not run here: install a package of Troupe for that system, or write the connector (docs/writing-a-connector.md)'
  );
}

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /\.mirror\.Mirror|replicator/i,
    'it copies topics between clusters, which no connector does here: let it run in Kafka Connect',
  ],
  [
    /^io\.debezium\.|\.debezium\./i,
    'its connectors run in the JVM: let it run in Kafka Connect, or use a connector of Troupe for that database, as far as one is installed (GET /connector-plugins)',
  ],
  [
    /^org\.apache\.kafka\.connect\.tools\.|\.datagen\./i,
    'it is for tests: a source of your own that makes records is a page of code (docs/writing-a-connector.md)',
  ],
];
