/**
 * Answering a request whose body is not going to be read. Closing a connection while the client still sends resets
 * it, and the reset can overtake the answer. So the whole answer is sent, then what arrives is thrown away until the
 * client has noticed, within bounds.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

const MAX_MS = 1_000;
const MAX_BYTES = 16 * 1024 * 1024;

/** A body of exactly `text`, which ends when the client has stopped sending. */
export function lingering(text: string, request: IncomingMessage): Readable {
  return Readable.from(textThenWait(text, request), { objectMode: false });
}

async function* textThenWait(text: string, request: IncomingMessage): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
  // A client that waits for `100 Continue` sends nothing more.
  if (request.complete || request.headers.expect !== undefined) return;
  await new Promise<void>((resolve) => {
    let discarded = 0;
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, MAX_MS);
    request.once('end', done).once('close', done).once('error', done);
    request.on('data', (chunk: Buffer) => {
      discarded += chunk.length;
      if (discarded > MAX_BYTES) done();
    });
    // Who gave up reading has paused it.
    request.resume();
  });
}
