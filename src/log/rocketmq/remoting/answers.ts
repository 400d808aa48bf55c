/** What a server answered, checked. */
import {
  count,
  isObject,
  listOf,
  object,
  recordOf,
  text,
  type Shape,
} from '../../../core/replica/json-shape.js';
import { malformed } from './errors.js';
import type { Answer } from './frame.js';
import { entriesOf, parseJson } from './loose-json.js';

/** A number from 0 in the header. */
export function field(answer: Answer, name: string, what: string): number {
  const value = Number(answer.fields[name] ?? Number.NaN);
  if (!count(value)) throw malformed(what);
  return value;
}

export function body<T>(answer: Answer, shape: Shape<T>, what: string): T {
  let value: unknown;
  try {
    value = parseJson(answer.body.toString());
  } catch (error) {
    throw malformed(what, error);
  }
  if (!shape(value)) throw malformed(what);
  return value;
}

export interface QueueData {
  readonly brokerName: string;
  readonly perm: number;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
}

export interface BrokerData {
  readonly brokerName: string;
  readonly cluster: string;
  /** By id; that of the master is 0. */
  readonly brokerAddrs: Readonly<Record<string, string>>;
}

const isBrokerData = object<BrokerData>({ brokerName: text, cluster: text, brokerAddrs: recordOf(text) });

export const isRoute = object<{
  readonly queueDatas: readonly QueueData[];
  readonly brokerDatas: readonly BrokerData[];
}>({
  queueDatas: listOf(
    object<QueueData>({ brokerName: text, perm: count, readQueueNums: count, writeQueueNums: count }),
  ),
  brokerDatas: listOf(isBrokerData),
});

export const isClusterInfo = object<{ readonly brokerAddrTable: Readonly<Record<string, BrokerData>> }>({
  brokerAddrTable: recordOf(isBrokerData),
});

export const isTopicList = object<{ readonly topicList: readonly string[] }>({ topicList: listOf(text) });

interface GroupTable {
  readonly subscriptionGroupTable: Readonly<Record<string, unknown>>;
  readonly dataVersion: Readonly<Record<string, unknown>>;
}

export const isGroupTable = object<GroupTable>({ subscriptionGroupTable: isObject, dataVersion: isObject });

interface OffsetEntry {
  readonly queue: { readonly brokerName: string; readonly queueId: number };
  readonly offsets: {
    readonly minOffset: number;
    readonly maxOffset: number;
    readonly lastUpdateTimestamp: number;
  };
}

const isOffsetEntry = object<OffsetEntry>({
  queue: object<OffsetEntry['queue']>({ brokerName: text, queueId: count }),
  offsets: object<OffsetEntry['offsets']>({ minOffset: count, maxOffset: count, lastUpdateTimestamp: count }),
});

/** Of a topic's statistics: an object whose keys are objects. */
export function offsetTable(answer: Answer, what: string): readonly OffsetEntry[] {
  const { offsetTable: table } = body(answer, isOffsetTable, what);
  const entries = (entriesOf(table) ?? []).map(([queue, offsets]) => ({ queue, offsets }));
  if (!entries.every(isOffsetEntry)) throw malformed(what);
  return entries;
}

const isOffsetTable = object<{ readonly offsetTable: object }>({
  offsetTable: (value): value is object => typeof value === 'object' && value !== null,
});
