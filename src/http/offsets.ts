/** Positions and offsets in Kafka Connect's shapes. */
import type { QueueLag } from '../actors/config-sync/protocol.js';
import type { ProgressChange } from '../actors/persistence/protocol.js';
import type { SourcePosition } from '../core/model.js';
import type { SinkOffset } from '../core/progress/progress-machine.js';
import type { JsonObject } from '../sdk/record.js';
import { HttpError, type FieldError } from './errors.js';
import { shortened } from './names.js';

export interface ShownOffsets {
  readonly offsets: readonly {
    readonly partition: JsonObject;
    readonly offset: JsonObject;
    /** Ours, where it is asked for. */
    readonly lag?: { readonly records: number; readonly seconds: number };
  }[];
}

export function shownPositions(positions: readonly SourcePosition[]): ShownOffsets {
  return { offsets: positions.map(({ partition, position }) => ({ partition, offset: position })) };
}

export function shownOffsets(offsets: readonly SinkOffset[], lags: readonly QueueLag[] = []): ShownOffsets {
  const known = new Map(lags.map((lag) => [`${lag.topic}/${lag.queue}`, lag]));
  return {
    offsets: offsets.map(({ topic, queue, offset }) => {
      const lag = known.get(`${topic}/${queue}`);
      return {
        partition: { kafka_topic: topic, kafka_partition: queue },
        offset: { kafka_offset: offset },
        ...(lag && { lag: { records: lag.records, seconds: lag.seconds } }),
      };
    }),
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** `{offsets: [{partition, offset}]}` of PATCH; `offset` null removes. `body` comes out of JSON. */
export function parseOffsets(body: Fields, type: 'source' | 'sink'): ProgressChange {
  const { offsets } = body;
  if (!Array.isArray(offsets) || offsets.length === 0)
    throw refused([
      wrong(
        'offsets',
        'must be a list that is not empty',
        'Partitions / offsets need to be provided for an alter offsets request',
      ),
    ]);
  const errors: Wrong[] = [];
  const items = (offsets as readonly unknown[]).map((item, i) => {
    const { partition, offset } = isFields(item) ? item : {};
    const at = `offsets[${i}]`;
    if (!isFields(partition)) errors.push(wrong(`${at}.partition`, 'must be an object'));
    if (offset !== null && !isFields(offset))
      errors.push(wrong(`${at}.offset`, 'must be an object, or null'));
    return { at, partition: isFields(partition) ? partition : {}, offset: isFields(offset) ? offset : null };
  });
  if (errors.length > 0) throw refused(errors);
  if (type === 'source') {
    // Objects that were parsed from JSON.
    const positions = items.map(({ partition, offset }) => ({
      partition: partition as JsonObject,
      position: offset as JsonObject | null,
    }));
    return { kind: 'source', items: positions };
  }
  const ofQueues = items.map((item) => queueOffset(item, errors));
  if (errors.length > 0) throw refused(errors);
  return { kind: 'sink', items: ofQueues };
}

function queueOffset(
  {
    at,
    partition,
    offset,
  }: { readonly at: string; readonly partition: Fields; readonly offset: Fields | null },
  errors: Wrong[],
): { readonly topic: string; readonly queue: number; readonly offset: number | null } {
  const { kafka_topic: topic = null, kafka_partition: queue = null } = partition;
  const isTopic = typeof topic === 'string' && topic !== '';
  const number = wholeNumber(queue);
  if (topic === null || queue === null)
    errors.push(wrong(`${at}.partition`, 'must have kafka_topic and kafka_partition', NO_QUEUE));
  else if (!isTopic) errors.push(wrong(`${at}.partition.kafka_topic`, 'must be the name of a topic'));
  else if (number === null) {
    const words = unparsed('partition', 'Partition', queue);
    errors.push(wrong(`${at}.partition.kafka_partition`, 'must be the number of a queue', words));
  }
  const given = offset?.['kafka_offset'] ?? null;
  const to = wholeNumber(given);
  if (offset !== null && given === null)
    errors.push(wrong(`${at}.offset`, 'must be null, or have kafka_offset', NO_OFFSET));
  else if (offset !== null && to === null) {
    const words = isWhole(given) ? undefined : unparsed('offset', 'Offset', given);
    errors.push(wrong(`${at}.offset.kafka_offset`, 'must be a whole number from 0', words));
  }
  return { topic: isTopic ? topic : '', queue: number ?? 0, offset: to };
}

const NO_QUEUE =
  "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'";
const NO_OFFSET = "The offset for a sink connector should either be null or contain the key 'kafka_offset'";

function unparsed(what: string, capitalised: string, value: unknown): string {
  const shown = shortened(typeof value === 'string' ? value : JSON.stringify(value));
  return `Failed to parse the following Kafka ${what} value in the provided offsets: '${shown}'. ${capitalised} values for sink connectors need to be integers.`;
}

/** Also one below 0, of which Kafka Connect says something else. */
function isWhole(value: unknown): boolean {
  return typeof value === 'string' ? /^-?\d{1,15}$/.test(value) : Number.isSafeInteger(value);
}

/** Kafka Connect takes them as text, too. */
function wholeNumber(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Wrong extends FieldError {
  /** Kafka Connect's, where it has some. */
  readonly words: string | undefined;
}

function wrong(field: string, reason: string, words?: string): Wrong {
  return { field, value: null, reason, words };
}

function refused(errors: readonly Wrong[]): HttpError {
  const words = new Set(errors.map((error) => error.words));
  const list = errors.map(({ field, reason }) => `${field} ${reason}`).join('; ');
  const message = words.has(undefined) ? `The body is invalid: ${list}.` : [...words].join(' ');
  const fields = errors.map(({ field, value, reason }) => ({ field, value, reason }));
  return new HttpError('BODY_INVALID', message, { fields });
}
