// A JVM this benchmark started: it logs to a file, is watched while something waits for it, and ends by its own pid.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

export interface Memory {
  readonly rssBytes: number;
  readonly rssAnonBytes: number;
  readonly peakRssBytes: number;
}
export interface Jvm {
  readonly pid: number;
  readonly log: string;
  /** How it ended, or null while it runs. */
  ended(): string | null;
  /** From /proc/PID/status; the peak is the kernel's own high-water mark, so nothing is missed between samples. */
  memory(): Memory;
  /** User + system time so far: on a shared machine a steadier figure than the clock. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

export const run = promisify(execFile);
const STOP_MS = 20_000;

/** Starts `java args` in `dir`, its output in the file `log`. */
export async function startJvm(dir: string, log: string, args: readonly string[]): Promise<Jvm> {
  const file = await open(log, 'a');
  const child = spawn('java', args, { cwd: dir, stdio: ['ignore', file.fd, file.fd] });
  let ended: string | null = null;
  const closed = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = signal ?? `exit code ${String(code)}`;
      resolve();
    });
    child.once('error', (error) => {
      ended = error.message;
      resolve();
    });
  });
  const killAtExit = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killAtExit);
  void closed.then(() => process.removeListener('exit', killAtExit));
  await file.close();
  const { pid } = child;
  if (pid === undefined) {
    await closed;
    throw new Error(`java did not start: ${String(ended)}`);
  }
  const kilobytes = (status: string, key: string): number =>
    Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024;
  return {
    pid,
    log,
    ended: () => ended,
    memory() {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return {
        rssBytes: kilobytes(status, 'VmRSS'),
        rssAnonBytes: kilobytes(status, 'RssAnon'),
        peakRssBytes: kilobytes(status, 'VmHWM'),
      };
    },
    cpuSeconds() {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before may hold blanks
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    async stop() {
      if (ended !== null) return;
      child.kill('SIGTERM');
      const hurry = new AbortController();
      const late = delay(STOP_MS, true, { signal: hurry.signal, ref: false }).catch(() => false);
      if (await Promise.race([closed.then(() => false), late])) child.kill('SIGKILL');
      hurry.abort();
      await closed;
    },
  };
}

/** Asks `check` again and again until it answers true; gives up at the deadline or when one of the JVMs is gone. */
export async function until(
  what: string,
  jvms: readonly Jvm[],
  everyMs: number,
  deadlineMs: number,
  check: () => Promise<boolean>,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await check())) {
    const gone = jvms.find((jvm) => jvm.ended() !== null);
    if (gone === undefined && performance.now() < end) {
      await delay(everyMs);
      continue;
    }
    const tails = await Promise.all(jvms.map(async ({ log }) => (await readFile(log, 'utf8')).slice(-2000)));
    const why =
      gone === undefined
        ? `not within ${deadlineMs} ms`
        : `process ${gone.pid} ended (${String(gone.ended())})`;
    throw new Error(`${what}: ${why}\n${tails.join('\n--\n')}`);
  }
}

/** Ports of the loopback interface that were free a moment ago; held together, so that no two are the same. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports: number[] = [];
  for (const server of servers) {
    if (!server.listening) await once(server, 'listening');
    const address = server.address();
    if (address !== null && typeof address === 'object') ports.push(address.port);
  }
  await Promise.all(
    servers.map(
      (server) =>
        new Promise((resolve) => {
          server.close(resolve);
        }),
    ),
  );
  return ports;
}

/** Whether `java` (17 or newer) and `mvn` can be run. */
export function javaAndMaven(): { ok: true } | { ok: false; reason: string } {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' });
  const major = Number(/version "(\d+)/.exec(java.stderr ?? '')?.[1] ?? 0);
  if (major < 17)
    return {
      ok: false,
      reason: major === 0 ? 'java is not on PATH' : `java 17 or newer is needed, found ${major}`,
    };
  const maven = spawnSync('mvn', ['-version'], { encoding: 'utf8' });
  return maven.status === 0 ? { ok: true } : { ok: false, reason: 'mvn is not on PATH' };
}
