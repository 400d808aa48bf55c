import type { LoadedConverter } from '../plugins/converter-config.js';
import { checkConverted } from '../plugins/plugin-returns.js';
import type { TransformChain } from '../plugins/transform-chain.js';
import type { BatchReader } from '../log/batch.js';
import { readTransaction, type MarkedHeaders } from '../log/transaction-mark.js';
import type { QueueOffset } from '../sdk/plugin.js';
import { NO_HEADERS, type SinkRecord } from '../sdk/record.js';
import { decodeHeaders } from './record-headers.js';

export interface SinkConversion {
  readonly chain: Pick<TransformChain, 'apply'> | null;
  readonly keyConverter: LoadedConverter;
  readonly valueConverter: LoadedConverter;
  readonly headerConverter: LoadedConverter;
}

const NOTHING: MarkedHeaders = { transaction: null, headers: [] };

/** A record of a batch as the sink is given it; null where a transform drops it. */
export function sinkRecord(
  { chain, keyConverter, valueConverter, headerConverter }: SinkConversion,
  topic: string,
  queue: number,
  offset: number,
  data: BatchReader,
  index: number,
): SinkRecord | null {
  const keyData = keyConverter.input === 'text' ? data.keyTextOrBytes(index) : data.key(index);
  const valueData = valueConverter.input === 'text' ? data.valueTextOrBytes(index) : data.value(index);
  const key =
    keyData === null ? null : checkConverted('key', keyConverter.instance.toConnectData(topic, keyData));
  const value = checkConverted('value', valueConverter.instance.toConnectData(topic, valueData));
  const stored = data.headers(index);
  const { transaction, headers } = stored.length === 0 ? NOTHING : readTransaction(stored);
  const record: SinkRecord = {
    topic,
    queue,
    keySchema: key === null ? null : key.schema,
    key: key === null ? null : key.value,
    valueSchema: value.schema,
    value: value.value,
    timestamp: data.timestamp(index),
    headers: headers.length === 0 ? NO_HEADERS : decodeHeaders(headerConverter, topic, headers),
    offset,
    originalTopic: topic,
    originalQueue: queue,
    originalOffset: offset,
    tombstone: valueData === null,
    transaction,
  };
  if (chain === null) return record;
  const changed = chain.apply(record);
  return changed === null ? null : asInLog(changed, record);
}

/** Where it stands in the log. */
export function placeOf({ originalTopic, originalQueue, originalOffset }: SinkRecord): QueueOffset {
  return { topic: originalTopic, queue: originalQueue, offset: originalOffset };
}

/** A transform may have built its record from nothing; what stands in the log, and where, is not for it to say. */
function asInLog(changed: SinkRecord, read: SinkRecord): SinkRecord {
  const { originalTopic, originalQueue, originalOffset, tombstone, transaction } = read;
  if (
    changed.originalTopic === originalTopic &&
    changed.originalQueue === originalQueue &&
    changed.originalOffset === originalOffset &&
    changed.tombstone === tombstone &&
    changed.transaction === transaction
  )
    return changed;
  return { ...changed, originalTopic, originalQueue, originalOffset, tombstone, transaction };
}
