// node main.js [--lines 1000000] [--bytes 200] [--warm-ups 1] [--dir FOLDER] [--cache FOLDER] [--only string|json]:
// prints one JSON line for each case.
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { kafkaAvailable, prepareKafka, runFileToTopicToFile, threeTransforms } from './kafka-connect.js';

/** Numbered lines, each of `width` characters before its line end. */
function* numberedLines(count: number, width: number): Generator<string> {
  const rest = 'abcdefghijklmnopqrstuvwxyz0123456789 '.repeat(Math.ceil(width / 37));
  for (let from = 0; from < count; from += 5000) {
    let chunk = '';
    for (let at = from; at < Math.min(count, from + 5000); at += 1)
      chunk += `${(String(at).padStart(10, '0') + rest).slice(0, width)}\n`;
    yield chunk;
  }
}

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '1000000' },
    bytes: { type: 'string', default: '200' },
    'warm-ups': { type: 'string', default: '1' },
    dir: { type: 'string' },
    cache: { type: 'string' },
    only: { type: 'string' },
  },
});
// So that the JVMs do not outlive an interrupted run: they are killed in the exit event, which a bare signal skips.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

const available = kafkaAvailable();
if (!available.ok) {
  console.log(JSON.stringify({ skipped: available.reason }));
} else {
  const install = await prepareKafka(resolve(values.cache ?? join(tmpdir(), 'troupe-bench-cache')));
  if (values.dir !== undefined) await mkdir(values.dir, { recursive: true });
  const dir = values.dir ?? (await mkdtemp(join(tmpdir(), 'troupe-bench-kafka-')));
  try {
    const lines = Number(values.lines);
    const input = join(dir, 'input.txt');
    await pipeline(Readable.from(numberedLines(lines, Number(values.bytes))), createWriteStream(input));
    const warmUps = Number(values['warm-ups']);
    const { size: bytes } = await stat(input);
    for (const converter of ['string', 'json'] as const) {
      if (values.only !== undefined && values.only !== converter) continue;
      const result = await runFileToTopicToFile({
        input,
        output: join(dir, 'output.txt'),
        lines,
        bytes,
        install,
        dir,
        converter,
        warmUps,
        ...(converter === 'json' ? { transforms: threeTransforms } : {}),
      });
      console.log(
        JSON.stringify({
          case: `kafka-connect ${install.version} ${converter}`,
          lines,
          bytes,
          warmUps,
          ...result,
        }),
      );
    }
  } finally {
    if (values.dir === undefined) await rm(dir, { recursive: true, force: true });
  }
}
