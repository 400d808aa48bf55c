/** A schema registry with Confluent's API, from Maven Central: unpacked once into `.apicurio/<version>` of the repository. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const VERSION = '2.6.13.Final';
const ROOT = fileURLToPath(new URL('../../../.apicurio', import.meta.url));
const FOLDER = join(ROOT, VERSION);
const RUNNER = `apicurio-registry-app-${VERSION}-runner.jar`;

/** Bounds, not expectations. */
const DOWNLOAD_MS = 900_000;
const START_MS = 120_000;

/** Becomes Java, after it left a watcher behind that ends it when the pipe closes which only our process holds open. */
const WATCHED = 'exec 3<&0; { cat <&3; kill -9 $$; } >/dev/null 2>&1 & exec "$@" </dev/null 3<&-';

/** Why it cannot be run here, or null when it can. */
export function apicurioAvailable(): string | null {
  if (spawnSync('java', ['-version']).error !== undefined)
    return 'The schema registry of the tests needs Java 17 or newer; there is no java on the PATH.';
  if (existsSync(FOLDER) || spawnSync('mvn', ['-version']).status === 0) return null;
  return 'Maven is needed to download the schema registry of the tests; there is no mvn on the PATH.';
}

export interface RunningRegistry {
  /** As `schema.registry.url`. */
  readonly url: string;
  stop(): Promise<void>;
}

export async function startApicurio(): Promise<RunningRegistry> {
  await unpack();
  const port = await freePort();
  const args = [
    '-Xmx256m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Dquarkus.http.port=${port}`,
    '-Dquarkus.http.host=127.0.0.1',
    '-jar',
    join(FOLDER, RUNNER),
  ];
  const child = spawn('sh', ['-c', WATCHED, 'sh', 'java', ...args], {
    cwd: FOLDER,
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  let output = '';
  const serving = new Promise<void>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`the schema registry does not start:\n${output}`)),
      START_MS,
    );
    void ended.then(() => reject(new Error(`the schema registry ended at its start:\n${output}`)));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-8000);
      if (!output.includes('Listening on:')) return;
      clearTimeout(late);
      resolve();
    });
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  await serving.catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { url: `http://127.0.0.1:${port}/apis/ccompat/v7`, stop };
}

async function unpack(): Promise<void> {
  if (existsSync(FOLDER)) return;
  const partial = `${FOLDER}.${process.pid}.partial`; // one that was cut short is never taken for a whole one
  await mkdir(partial, { recursive: true });
  try {
    const artifact = `io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`;
    await promisify(execFile)(
      'mvn',
      ['-q', '-B', 'dependency:unpack', `-Dartifact=${artifact}`, `-DoutputDirectory=${partial}`],
      { cwd: partial, timeout: DOWNLOAD_MS, maxBuffer: 16 * 1024 * 1024 },
    );
    await rename(partial, FOLDER).catch((error: unknown) => {
      if (!existsSync(FOLDER)) throw error; // otherwise another process was first
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}
