/** Which queue of a topic a key belongs to, by the hashes of Kafka's and RocketMQ's clients. */

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** As Kafka's producer, where it has no partitioner of its own: murmur2 of the serialised key. A string stands for its UTF-8. */
export function kafkaQueue(key: Uint8Array | string, queues: number): number {
  const bytes = typeof key === 'string' ? Buffer.from(key, 'utf8') : key;
  return (murmur2(bytes) & 0x7fffffff) % queues;
}

/** As RocketMQ's `SelectMessageQueueByHash` by the text of the key, as RocketMQ Connect has it. Bytes stand for their UTF-8 text. */
export function rocketmqQueue(key: Uint8Array | string, queues: number): number {
  const text = typeof key === 'string' ? key : Buffer.from(key).toString('utf8');
  let hash = 0;
  for (let i = 0; i < text.length; i += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return Math.abs(hash % queues);
}

/** 32 bits, signed, as Kafka's `Utils.murmur2`. */
function murmur2(data: Uint8Array): number {
  const { length } = data;
  const view = new DataView(data.buffer, data.byteOffset, length);
  let hash = SEED ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let k = Math.imul(view.getInt32(at, true), M);
    k ^= k >>> 24;
    hash = Math.imul(hash, M) ^ Math.imul(k, M);
  }
  const left = length - at;
  if (left >= 3) hash ^= (data[at + 2] ?? 0) << 16;
  if (left >= 2) hash ^= (data[at + 1] ?? 0) << 8;
  if (left >= 1) hash = Math.imul(hash ^ (data[at] ?? 0), M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}
