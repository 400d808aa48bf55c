/**
 * Keys of Kafka Connect and RocketMQ Connect that need nothing here, and why: a configuration that has them means the same
 * without them, and its user is told.
 */
interface ForeignKeys {
  readonly keys: RegExp;
  /** Absent: of both. */
  readonly kind?: 'source' | 'sink';
  readonly reason: string;
}

const CLIENT = '(?:consumer|producer|admin)\\.override\\.';
const OF_CONNECTION =
  '(?:bootstrap\\.|security\\.|sasl\\.|ssl\\.|client\\.|connections\\.|reconnect\\.|retry\\.|request\\.timeout|default\\.api\\.timeout|socket\\.|send\\.buffer|receive\\.buffer|metadata\\.|metric)';

/** The first that fits tells the reason. */
const FOREIGN: readonly ForeignKeys[] = [
  {
    keys: new RegExp(`^${CLIENT}${OF_CONNECTION}`),
    reason: 'topics are in the log of the node, whose own parameters say how it is reached',
  },
  {
    keys: /^consumer\.override\.(?:fetch\.|max\.partition\.fetch\.)/,
    reason: 'reads are bounded in bytes by the task itself; batch.max.records bounds a delivery',
  },
  {
    keys: /^consumer\.override\.(?:session\.|heartbeat\.|max\.poll\.interval|partition\.assignment|group\.)/,
    reason: 'which task reads which queue follows from the plan, not from the members of a group',
  },
  {
    keys: /^consumer\.override\.(?:enable\.auto\.commit|auto\.commit)/,
    reason: 'offsets are committed after each flush: see offset.flush.interval.ms',
  },
  {
    keys: /^consumer\.override\.isolation\.level$/,
    reason: 'an append is there whole or not at all: nothing uncommitted can be read',
  },
  {
    keys: /^(?:consumer|producer)\.override\.(?:interceptor\.classes|(?:key|value)\.(?:de)?serializer)/,
    reason: 'classes of Java are not run here: converters and transforms take their place',
  },
  {
    keys: /^consumer\.override\.auto\.offset\.reset$/,
    reason: 'a sink begins at the oldest record of its topics, unless it is given other offsets',
  },
  {
    keys: /^producer\.override\.(?:acks|retries|delivery\.|max\.in\.flight|enable\.idempotence|transactional|transaction\.)/,
    reason:
      'an append is durable before it counts, in order, and tried again until then: see exactly.once.support',
  },
  {
    keys: /^producer\.override\.compression/,
    reason: 'records are not compressed',
  },
  {
    keys: /^producer\.override\.(?:max\.request\.size|buffer\.memory|max\.block\.ms)/,
    reason: 'appends are bounded by batch.max.bytes, and what waits for them by the task itself',
  },
  {
    keys: /^producer\.override\.partitioner/,
    reason:
      'partitioner says which queue a record goes to: kafka as Kafka itself, round-robin, field and others',
  },
  {
    keys: /^admin\.override\./,
    reason: 'topics are created by the log of the node: see topic.creation.',
  },
  {
    keys: new RegExp(`^${CLIENT}`),
    reason: "it is for Kafka's clients, which are not there",
  },
  {
    keys: /^topic\.creation\./,
    kind: 'sink',
    reason: 'a sink creates no topics',
  },
  {
    keys: /^transaction\.boundary\.interval\.ms$|^offsets\.storage\.topic$/,
    reason: "positions are in the cluster's own topic, written together with the records",
  },
  {
    keys: /^errors\.deadletterqueue\.(?:topic\.replication\.factor|(?:read|write)\.queue\.nums)$/,
    reason: 'topics are created as the log of the node creates them',
  },
  {
    keys: /^(?:connector\.direct\.enable|consume\.from\.where|task\.group\.id|transaction\.boundary)$/,
    reason: 'it asks for what is so anyway',
  },
  {
    keys: /^ordering\.msg\.enable$/,
    reason: 'records with the same key keep their order, always',
  },
  {
    keys: /^(?:task[.-]class|task\.id|update-timestamp|config-deleted|(?:source|sink)\.task\.class)$/,
    reason: 'a runtime writes it, no user: it is known here without it',
  },
];

/** null: nothing is known of such a key. */
export function ignoredBecause(key: string, kind: 'source' | 'sink' | null): string | null {
  const found = FOREIGN.find(
    (each) => each.keys.test(key) && (each.kind === undefined || each.kind === kind),
  );
  return found?.reason ?? null;
}
