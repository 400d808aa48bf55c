import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { LogClientOptions } from '#troupe/actors/log/client.js';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import type { Log } from '#troupe/log/log.js';

import { startLogThread } from './log-thread.js';
import { logConformance } from './log.suite.js';
import type { LogUnderTest } from './log.suite.js';

async function storeUnderTest(): Promise<LogUnderTest> {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-log-'));
  const open: EmbeddedStore[] = [];
  const another = async (): Promise<Log> => {
    const store = await EmbeddedStore.open({ dir });
    open.push(store);
    return store;
  };
  const closeAll = async (): Promise<void> => {
    for (const store of open.splice(0)) await store.close();
  };
  return {
    log: await another(),
    another,
    reopen: async () => {
      await closeAll();
      return another();
    },
    close: async () => {
      await closeAll();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function threadUnderTest(options: LogClientOptions = {}): Promise<LogUnderTest> {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-log-'));
  let thread = await startLogThread({ dir });
  return {
    log: thread.client(options),
    another: () => Promise.resolve(thread.client(options)),
    reopen: async () => {
      await thread.stop();
      thread = await startLogThread({ dir });
      return thread.client(options);
    },
    close: async () => {
      await thread.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

logConformance('the embedded log, in the thread that owns it', storeUnderTest);
logConformance('the embedded log, through the log actor', () => threadUnderTest());
logConformance('the embedded log, where reads wait together', () => threadUnderTest({ maxWaiting: 0 }));
