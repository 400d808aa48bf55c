import type { LoadedConverter } from '../plugins/converter-config.js';
import { failedAt, type Stage } from '../plugins/failed-stage.js';
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

/** A record of a batch as the sink is given it; null where a transform drops it. What it throws has its stage (`stageOf`). */
export function sinkRecord(
  conversion: SinkConversion,
  topic: string,
  queue: number,
  offset: number,
  data: BatchReader,
  index: number,
): SinkRecord | null {
  const read = readRecord(conversion, topic, queue, offset, data, index);
  if (conversion.chain === null) return read;
  const changed = conversion.chain.apply(read);
  return changed === null ? null : asInLog(changed, read);
}

function readRecord(
  { keyConverter, valueConverter, headerConverter }: SinkConversion,
  topic: string,
  queue: number,
  offset: number,
  data: BatchReader,
  index: number,
): SinkRecord {
  let stage: Stage = 'KEY_CONVERTER';
  try {
    const keyData = keyConverter.input === 'text' ? data.keyTextOrBytes(index) : data.key(index);
    const key =
      keyData === null ? null : checkConverted('key', keyConverter.instance.toConnectData(topic, keyData));
    stage = 'VALUE_CONVERTER';
    const valueData = valueConverter.input === 'text' ? data.valueTextOrBytes(index) : data.value(index);
    const value = checkConverted('value', valueConverter.instance.toConnectData(topic, valueData));
    stage = 'HEADER_CONVERTER';
    const stored = data.headers(index);
    const { transaction, headers } = stored.length === 0 ? NOTHING : readTransaction(stored);
    return {
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
  } catch (error) {
    throw failedAt(error, { stage });
  }
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
