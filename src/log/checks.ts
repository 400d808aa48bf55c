/** What may be asked of the log: LogError LOG_BAD_REQUEST names what is wrong. Shared by the adapters. */
import { LogError, MAX_BATCH_BYTES } from './log.js';
import type { AppendRequest, Fence, GroupOffset, ReadRequest, TopicSettings } from './log.js';

export const MAX_QUEUES = 1024;
const TOPIC_NAME = /^[A-Za-z0-9._%|-]{1,249}$/;
const BAD_IN_NAMES = /[\u0000-\u001f\u007f]|\p{Surrogate}/u;

export function checkTopicName(name: string): void {
  if (!TOPIC_NAME.test(name)) {
    refuse(
      `"${name.slice(0, 300)}" cannot name a topic: 1 to 249 letters, digits, dots, dashes, underscores, % or |`,
    );
  }
}

export function checkName(what: string, name: string): void {
  if (name.length === 0 || name.length > 500 || BAD_IN_NAMES.test(name)) {
    refuse(`"${name.slice(0, 60)}" cannot name a ${what}: 1 to 500 characters, no control characters`);
  }
}

export function checkSettings(settings: TopicSettings): void {
  const { queues, retentionMs, retentionBytes } = settings;
  if (!Number.isInteger(queues) || queues < 1 || queues > MAX_QUEUES)
    refuse(`queues must be 1 to ${MAX_QUEUES}, not ${queues}`);
  if (retentionMs !== null && !isCount(retentionMs, 1))
    refuse(`retentionMs must be null or at least 1, not ${retentionMs}`);
  if (retentionBytes !== null && !isCount(retentionBytes, 1))
    refuse(`retentionBytes must be null or at least 1, not ${retentionBytes}`);
}

/** Returns the request's size in bytes. */
export function checkAppend(request: AppendRequest): number {
  if (request.entries.length === 0) refuse('an append needs at least one entry');
  let bytes = 0;
  for (const { topic, queue, batch } of request.entries) {
    const size = batch.bytes.byteLength;
    if (size === 0 || !isCount(batch.count, 1))
      refuse(`a batch for topic "${topic}" is empty, or its buffer was transferred away`);
    if (size > MAX_BATCH_BYTES)
      refuse(`a batch of ${size} bytes is larger than the limit of ${MAX_BATCH_BYTES}: make smaller batches`);
    checkQueue(queue);
    bytes += size;
  }
  if (request.fence !== undefined) checkFence(request.fence);
  return bytes;
}

export function checkRead(request: ReadRequest): void {
  checkQueue(request.queue);
  checkOffset(request.offset);
  if (!(request.maxBytes > 0)) refuse(`maxBytes must be more than 0, not ${request.maxBytes}`);
  if (!(request.maxRecords > 0)) refuse(`maxRecords must be more than 0, not ${request.maxRecords}`);
  if (!(request.waitMs >= 0)) refuse(`waitMs must be 0 or more, not ${request.waitMs}`);
}

export function checkFence(fence: Fence): void {
  checkName('fence', fence.key);
  if (!isCount(fence.epoch, 0)) refuse(`an epoch must be a whole number from 0, not ${fence.epoch}`);
}

export function checkCommit(group: string, offsets: readonly GroupOffset[]): void {
  checkName('group', group);
  for (const { queue, offset } of offsets) {
    checkQueue(queue);
    checkOffset(offset);
  }
}

export function checkSubscription(group: string, topics: readonly string[]): void {
  checkName('group', group);
  for (const topic of topics) checkTopicName(topic);
}

export function checkOffset(offset: number): void {
  if (!isCount(offset, 0)) refuse(`an offset must be a whole number from 0, not ${offset}`);
}

function checkQueue(queue: number): void {
  if (!isCount(queue, 0)) refuse(`a queue must be a whole number from 0, not ${queue}`);
}

function isCount(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}

function refuse(message: string): never {
  throw new LogError('LOG_BAD_REQUEST', message);
}
