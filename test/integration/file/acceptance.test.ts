import { appendFile, readFile, rename, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileSink } from '#troupe/connectors/file/sink/sink.js';
import source from '#troupe/connectors/file/source/source.js';
import { acceptSink, acceptSource, type SinkFixture, type SourceFixture } from '#troupe/sdk/testing/index.js';
import { errno, faultyOps } from './faulty-ops.js';
import { temporaryFolder } from './temporary.js';

const wrongSources = [
  { change: { file: null }, field: 'file' },
  { change: { topic: '' }, field: 'topic' },
  { change: { file: '/var/log/*.log' }, field: 'file' },
  { change: { file: '~/app.log' }, field: 'file' },
  { change: { files: '/var/log/*.log,file:///var/log/x' }, field: 'files' },
  { change: { format: 'xml' }, field: 'format' },
  { change: { 'max.line.bytes': '0' }, field: 'max.line.bytes' },
  { change: { 'poll.interval.ms': 'soon' }, field: 'poll.interval.ms' },
];

async function oneFile(): Promise<SourceFixture> {
  const { folder, remove } = await temporaryFolder();
  const path = join(folder, 'in.log');
  await writeFile(path, '');
  let made = 0;
  return {
    config: { file: path, topic: 'lines', 'poll.interval.ms': '5', 'batch.size': '7' },
    async produce(count) {
      const lines = Array.from({ length: count }, () => `line ${(made += 1)} größer 😀`);
      await appendFile(path, lines.map((line) => `${line}\n`).join(''));
      return lines;
    },
    // A link to itself: nobody can open it, not even a process that may read everything.
    async interrupt() {
      await rename(path, `${path}.aside`);
      await symlink(path, path);
      return async () => {
        await unlink(path);
        await rename(`${path}.aside`, path);
      };
    },
    cleanup: remove,
  };
}

async function manyJsonFiles(): Promise<SourceFixture> {
  const { folder, remove } = await temporaryFolder();
  let made = 0;
  return {
    config: {
      files: join(folder, '**', '*.jsonl'),
      topic: 'values',
      format: 'json',
      'poll.interval.ms': '5',
    },
    async produce(count) {
      const values = Array.from({ length: count }, () => ({ id: (made += 1), name: 'näme' }));
      for (const value of values)
        await appendFile(join(folder, `part-${'abcde'[value.id % 5]}.jsonl`), `${JSON.stringify(value)}\r\n`);
      return values;
    },
    cleanup: remove,
  };
}

acceptSource({
  name: 'the file source on one file',
  plugin: source,
  setup: oneFile,
  guarantee: 'exactly-once',
  wrongConfigs: wrongSources,
});
acceptSource({
  name: 'the file source on a pattern',
  plugin: source,
  setup: manyJsonFiles,
  guarantee: 'exactly-once',
  ordered: false,
  parallel: true,
});

/** Full when somebody says so. */
const disk = { full: false };
const ops = faultyOps((step) => {
  if (disk.full && (step === 'write' || step === 'create')) throw errno('ENOSPC');
});

function outputIn(
  extra: Readonly<Record<string, string>>,
  parse: (line: string) => unknown,
): () => Promise<SinkFixture> {
  return async () => {
    const { folder, remove } = await temporaryFolder();
    const path = join(folder, 'deep', 'er', 'out.log');
    return {
      config: { file: path, ...extra },
      read: async () => (await readFile(path, 'utf8')).split('\n').slice(0, -1).map(parse),
      interrupt: async () => {
        disk.full = true;
        return async () => {
          disk.full = false;
        };
      },
      cleanup: remove,
    };
  };
}

const wrongSinks = [
  { change: { file: null }, field: 'file' },
  { change: { file: 'logs/' }, field: 'file' },
  { change: { file: '../../etc/passwd' }, field: 'file' },
  { change: { file: '/etc/passwd', 'base.dir': '/data' }, field: 'file' },
  { change: { file: 'out-{host}.log' }, field: 'file' },
  { change: { 'rotate.bytes': '-1' }, field: 'rotate.bytes' },
  { change: { compress: 'gzip' }, field: 'compress' },
  { change: { file: tmpdir() }, field: 'file' },
  { change: { file: `${fileURLToPath(import.meta.url)}/out.log` }, field: 'file' },
  { change: { file: '/dev/null' }, field: 'file' },
  { change: { file: join(tmpdir(), 'x'.repeat(300)) }, field: 'file' },
];

acceptSink({
  name: 'the file sink with lines',
  plugin: { type: 'sink', plugin: fileSink(ops) },
  setup: outputIn({}, (line) => line),
  guarantee: 'exactly-once',
  wrongConfigs: wrongSinks,
});
acceptSink({
  name: 'the file sink with JSON, without fsync',
  plugin: { type: 'sink', plugin: fileSink(ops) },
  setup: outputIn({ format: 'json', fsync: 'false' }, (line) => JSON.parse(line) as unknown),
  guarantee: 'exactly-once',
  value: (n) => ({ n, text: 'zwei\nZeilen', list: [1, null, true] }),
});
