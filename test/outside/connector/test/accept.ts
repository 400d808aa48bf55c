import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acceptSink, type SinkFixture } from '@troupe/sdk/testing';
import plugin from '../src/index.js';

async function setup(): Promise<SinkFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'json-lines-'));
  const path = join(folder, 'out.jsonl');
  return {
    config: { path },
    read: async () => {
      const text = await readFile(path, 'utf8').catch(() => '');
      return text.split('\n').flatMap((line) => (line === '' ? [] : [String(JSON.parse(line))]));
    },
    cleanup: () => rm(folder, { recursive: true }),
  };
}

acceptSink({ name: 'json-lines', plugin, setup, wrongConfigs: [{ change: { path: '' }, field: 'path' }] });
