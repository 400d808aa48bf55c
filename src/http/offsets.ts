/** Positions and offsets in Kafka Connect's shapes. */
import type { ProgressChange } from '../actors/persistence/protocol.js';
import type { SourcePosition } from '../core/model.js';
import type { SinkOffset } from '../core/progress/progress-machine.js';
import type { JsonObject } from '../sdk/record.js';
import { HttpError, type FieldError } from './errors.js';

export interface ShownOffsets {
  readonly offsets: readonly { readonly partition: JsonObject; readonly offset: JsonObject }[];
}

export function shownPositions(positions: readonly SourcePosition[]): ShownOffsets {
  return { offsets: positions.map(({ partition, position }) => ({ partition, offset: position })) };
}

export function shownOffsets(offsets: readonly SinkOffset[]): ShownOffsets {
  return {
    offsets: offsets.map(({ topic, queue, offset }) => ({
      partition: { kafka_topic: topic, kafka_partition: queue },
      offset: { kafka_offset: offset },
    })),
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** `{offsets: [{partition, offset}]}` of PATCH; `offset` null removes. `body` comes out of JSON. */
export function parseOffsets(body: Fields, type: 'source' | 'sink'): ProgressChange {
  const { offsets } = body;
  if (!Array.isArray(offsets) || offsets.length === 0)
    throw refused([{ field: 'offsets', value: null, reason: 'must be a list that is not empty' }]);
  const errors: FieldError[] = [];
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
  errors: FieldError[],
): { readonly topic: string; readonly queue: number; readonly offset: number | null } {
  const { kafka_topic: topic, kafka_partition: queue } = partition;
  const isTopic = typeof topic === 'string' && topic !== '';
  if (!isTopic) errors.push(wrong(`${at}.partition.kafka_topic`, 'must be the name of a topic'));
  const number = wholeNumber(queue);
  if (number === null) errors.push(wrong(`${at}.partition.kafka_partition`, 'must be the number of a queue'));
  const to = offset === null ? null : wholeNumber(offset['kafka_offset']);
  if (offset !== null && to === null)
    errors.push(wrong(`${at}.offset.kafka_offset`, 'must be a whole number from 0'));
  return { topic: isTopic ? topic : '', queue: number ?? 0, offset: to };
}

/** Kafka Connect takes them as text, too. */
function wholeNumber(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(field: string, reason: string): FieldError {
  return { field, value: null, reason };
}

function refused(errors: readonly FieldError[]): HttpError {
  const list = errors.map(({ field, reason }) => `${field} ${reason}`).join('; ');
  return new HttpError('BODY_INVALID', `The body is invalid: ${list}.`, { fields: errors });
}
