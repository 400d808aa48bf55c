// Counting at the far end, without a JVM that would take CPU from the measured work.
import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

const HEADER = 27; // of a record batch: base offset (8), length of what follows (4), …, last offset delta (at 23)

/** Follows the batch headers in a partition's segment files: its exact end offset for a few small reads per call. */
export class TopicEnd {
  readonly #dir: string;
  #segment = 0;
  #position = 0;
  #next = 0;

  constructor(partitionDir: string) {
    this.#dir = partitionDir;
  }

  /** The offset after the last complete batch; 0 while there is no such topic. */
  async read(): Promise<number> {
    const header = Buffer.alloc(HEADER);
    for (;;) {
      const file = await openIfThere(this.#path(this.#segment));
      if (file === null) return this.#next;
      try {
        const { size } = await file.stat();
        for (;;) {
          const { bytesRead } = await file.read(header, 0, HEADER, this.#position);
          const end = this.#position + 12 + header.readInt32BE(8);
          if (bytesRead < HEADER || end > size) break; // nothing more, or still being written
          this.#next = Number(header.readBigInt64BE(0)) + header.readInt32BE(23) + 1;
          this.#position = end;
        }
      } finally {
        await file.close();
      }
      if (this.#next === this.#segment || (await sizeOf(this.#path(this.#next))) < 0) return this.#next;
      this.#segment = this.#next; // the log was rolled
      this.#position = 0;
    }
  }

  /** Throws unless the first records hold each of these texts: what went into the topic is what was meant. */
  async expect(texts: readonly string[]): Promise<void> {
    const file = await open(this.#path(0));
    try {
      const head = Buffer.alloc(8192);
      const { bytesRead } = await file.read(head, 0, head.length, 0);
      const missing = texts.filter((text) => !head.subarray(0, bytesRead).includes(text));
      if (missing.length > 0) throw new Error(`the records in the topic lack ${missing.join(' and ')}`);
    } finally {
      await file.close();
    }
  }

  #path(baseOffset: number): string {
    return join(this.#dir, `${String(baseOffset).padStart(20, '0')}.log`);
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  return (await sizeOf(path)) < 0 ? null : open(path);
}

/** The size of a file, -1 while it does not exist. */
export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.size,
    () => -1,
  );
}

/** Reads both files to their ends: how many lines the copy has, and whether every byte is the same. */
export async function compare(
  original: string,
  copy: string,
): Promise<{ records: number; identical: boolean }> {
  const a = await open(original);
  const b = await open(copy);
  try {
    const left = Buffer.alloc(1 << 20);
    const right = Buffer.alloc(1 << 20);
    let records = 0;
    let identical = true;
    for (;;) {
      const [{ bytesRead: m }, { bytesRead: n }] = await Promise.all([
        a.read(left, 0, left.length),
        b.read(right, 0, right.length),
      ]);
      identical &&= left.subarray(0, m).equals(right.subarray(0, n));
      for (let at = right.indexOf(10); at >= 0 && at < n; at = right.indexOf(10, at + 1)) records += 1;
      if (m === 0 && n === 0) return { records, identical };
    }
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
}
