/** Folders and processes of the log's fault tests. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import type { StoreOptions } from '#troupe/log/embedded/store.js';

export const KEPT = { retentionMs: null, retentionBytes: null } as const;

export function newFolder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-log-'));
  t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  return dir;
}

/** Closed when the test ends. */
export async function openStore(t: TestContext, options: StoreOptions): Promise<EmbeddedStore> {
  const store = await EmbeddedStore.open(options);
  t.after(() => store.close());
  return store;
}

export interface ChildWriter {
  /** Numbers acknowledged so far → offset of their batch. */
  readonly acknowledged: ReadonlyMap<number, number>;
  /** Resolves with the exit code (null: killed), when all output was read. */
  readonly exited: Promise<number | null>;
  kill(): void;
}

export function startWriter(
  t: TestContext,
  ...args: readonly [dir: string, name: string, size: number, appends: number]
): ChildWriter {
  const script = fileURLToPath(new URL('./writer-process.js', import.meta.url));
  const child = spawn(process.execPath, [script, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => void child.kill('SIGKILL'));
  const acknowledged = new Map<number, number>();
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [number, base] = line.split(' ');
      acknowledged.set(Number(number), Number(base));
    }
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return { acknowledged, exited, kill: () => void child.kill('SIGKILL') };
}
