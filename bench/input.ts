import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';

/** `lines` different lines of `bytes` bytes, the line feed included. */
export async function writeLines(path: string, lines: number, bytes: number): Promise<void> {
  const out = createWriteStream(path);
  const filler = 'The quick brown fox jumps over the lazy dog; 0123456789. '.repeat(Math.ceil(bytes / 57));
  let chunk = '';
  for (let i = 0; i < lines; i += 1) {
    const head = `${i} `;
    chunk += `${head}${filler.slice(0, bytes - 1 - head.length)}\n`;
    if (chunk.length > 1 << 20) {
      if (!out.write(chunk)) await once(out, 'drain');
      chunk = '';
    }
  }
  out.end(chunk);
  await finished(out);
}
