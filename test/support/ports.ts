/** Ports for servers that are started later, in processes of their own: nobody may take one of them in between. */
import { createServer } from 'node:net';

/** Below the range that systems give to whoever asks for any port, and to connections. */
const FIRST_PORT = 20_000;
const END = 32_700;
const SLICE = 100;

/** What is left of the slice that this process owns. */
let next = 0;
let end = 0;
let picked: Promise<unknown> = Promise.resolve();

/** The first of so many ports in a row. No other test gets them while this process lives, nor does a later caller. */
export function freePorts(count: number): Promise<number> {
  const found = picked.then(() => pick(count));
  picked = found.catch(() => undefined);
  return found;
}

export function freePort(): Promise<number> {
  return freePorts(1);
}

/** The first of the ports that somebody listens on, or null. */
export async function busyPort(ports: readonly number[]): Promise<number | null> {
  for (const port of ports) {
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
    });
    if (!free) return port;
  }
  return null;
}

async function pick(count: number): Promise<number> {
  for (;;) {
    if (next + count > end) await takeSlice();
    const first = next;
    next += count;
    // Others than tests do not know of the slices.
    if ((await busyPort(Array.from({ length: count }, (_, i) => first + i))) === null) return first;
  }
}

/** A process owns a slice by listening on its first port until it ends, however that comes about. */
async function takeSlice(): Promise<void> {
  const slices = Math.floor((END - FIRST_PORT) / SLICE);
  const start = Math.floor(Math.random() * slices);
  for (let i = 0; i < slices; i += 1) {
    const first = FIRST_PORT + ((start + i) % slices) * SLICE;
    if (!(await own(first))) continue;
    next = first + 1;
    end = first + SLICE;
    return;
  }
  throw new Error('no free ports');
}

function own(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy()).unref();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => resolve(true));
  });
}
