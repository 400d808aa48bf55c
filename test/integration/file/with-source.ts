import assert from 'node:assert/strict';
import { join } from 'node:path';
import source from '#troupe/connectors/file/source/source.js';
import type { SourceConnector } from '#troupe/sdk/index.js';
import { SourceHarness, type HarnessOptions } from '#troupe/sdk/testing/index.js';
import { inFolder } from './temporary.js';

assert.ok(source.type === 'source');
const connector: SourceConnector = source.plugin;

export interface Started {
  readonly folder: string;
  readonly path: string;
  readonly harness: SourceHarness;
  /** The next `count` values, accepted. */
  readonly take: (count: number) => Promise<unknown[]>;
}

/** A harness on `app.log` in an empty folder, not started. */
export async function withSource(
  config: Readonly<Record<string, string>>,
  body: (started: Started) => Promise<void>,
  options: HarnessOptions = {},
): Promise<void> {
  await inFolder(async (folder) => {
    const path = join(folder, 'app.log');
    const files = config['files']?.split(',').map((item) => join(folder, item));
    const given = files === undefined ? { file: path, ...config } : { ...config, files: files.join(',') };
    const harness = new SourceHarness(
      connector,
      { topic: 't', 'poll.interval.ms': '5', 'rotate.wait.ms': '0', ...given },
      options,
    );
    const take = async (count: number): Promise<unknown[]> => {
      const records = await harness.collect(count);
      await harness.accept(records);
      return records.map(({ value }) => value);
    };
    try {
      await body({ folder, path, harness, take });
    } finally {
      await harness.dispose();
    }
  });
}
