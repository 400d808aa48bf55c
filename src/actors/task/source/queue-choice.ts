/** Which queue of its topic a record of a source goes to: `partitioner`. */
import { hashBytes } from '../../../core/hash.js';
import { kafkaQueue, rocketmqQueue } from '../../../core/partitioning.js';
import type { Partitioner } from '../../../plugins/config-partitioner.js';
import { DataError } from '../../../sdk/errors.js';
import type { ConnectRecord } from '../../../sdk/record.js';
import { fieldOf, isFields } from '../../../sdk/value.js';
import { valueText } from '../../../sdk/value-text/value-text.js';

type Key = Uint8Array | string | null;

/** `key`: as it stands in the log. `turn`: of the topic, a whole number that is another with each call. */
export type ChooseQueue = (record: ConnectRecord, key: Key, queues: number, turn: number) => number;

/** What a record itself says comes first. DataError BAD_QUEUE. */
export function queueChoice(partitioner: Partitioner): ChooseQueue {
  const otherwise = choices(partitioner);
  return (record, key, queues, turn) => {
    const { queue } = record;
    return queue === null ? otherwise(record, key, queues, turn) : checked(queue, queues);
  };
}

function choices({ by, field }: Partitioner): ChooseQueue {
  const hashed =
    (hash: (key: Uint8Array | string, queues: number) => number): ChooseQueue =>
    (_record, key, queues, turn) =>
      key === null ? turn % queues : hash(key, queues);
  switch (by) {
    case 'key':
      return hashed((key, queues) => hashBytes(key) % queues);
    case 'kafka':
      return hashed(kafkaQueue);
    case 'rocketmq':
      return hashed(rocketmqQueue);
    case 'field':
      return ({ value }, _key, queues, turn) => {
        const text = fieldText(value, field);
        return text === null ? turn % queues : kafkaQueue(text, queues);
      };
    case 'round-robin':
      return (_record, _key, queues, turn) => turn % queues;
    case 'record':
      return (_record, _key, queues) => {
        if (queues === 1) return 0;
        throw new DataError(
          `the record names no queue, and partitioner=record leaves that to the record: its topic has queues 0 to ${queues - 1}`,
          { code: 'BAD_QUEUE' },
        );
      };
  }
}

function checked(wanted: number, queues: number): number {
  if (Number.isInteger(wanted) && wanted >= 0 && wanted < queues) return wanted;
  throw new DataError(`the record wants queue ${wanted}, but its topic has queues 0 to ${queues - 1}`, {
    code: 'BAD_QUEUE',
  });
}

/** Null where there is no such field, or it is null. A dot leads into a field, unless one has the whole name. */
function fieldText(value: unknown, name: string): string | null {
  if (!isFields(value)) return null;
  let found = fieldOf(value, name);
  if (found === undefined && name.includes('.')) {
    found = value;
    for (const step of name.split('.')) found = isFields(found) ? fieldOf(found, step) : undefined;
  }
  return found === undefined || found === null ? null : valueText(null, found);
}
