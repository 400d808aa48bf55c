import { MAX_BATCH_BYTES } from '../log.js';
import type { LogCapabilities } from '../log.js';

/** What a batch of one record takes besides it, at most where it has fewer than a hundred headers. */
const BATCH_OVERHEAD = 1024;

export const EMBEDDED_CAPABILITIES: LogCapabilities = {
  atomicAppend: true,
  fencing: true,
  trim: true,
  maxRecordBytes: MAX_BATCH_BYTES - BATCH_OVERHEAD,
};
