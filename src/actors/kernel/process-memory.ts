import { readFileSync } from 'node:fs';

/** Bytes; without what is mapped from files, such as the store, which the system takes back when it needs it. */
export function processMemory(): number {
  try {
    const found = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
    if (found !== undefined) return Number(found) * 1024;
  } catch {
    // Not Linux.
  }
  return process.memoryUsage.rss();
}
