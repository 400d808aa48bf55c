import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(import.meta.resolve('#troupe/supervisor.js'));

/** One Troupe node under measurement: a process of its own, driven over REST like any user's. */
export class TroupeNode {
  readonly #child: ChildProcess;
  readonly #url: string;
  /** From the spawn of the process to the first answer over REST, and to all connectors being served. */
  readonly restMs: number;
  readonly healthyMs: number;

  private constructor(child: ChildProcess, url: string, restMs: number, healthyMs: number) {
    this.#child = child;
    this.#url = url;
    this.restMs = restMs;
    this.healthyMs = healthyMs;
  }

  static async start(dir: string, settings: Readonly<Record<string, string>> = {}): Promise<TroupeNode> {
    const port = await freePort();
    const all = {
      httpPort: String(port),
      storePathRootDir: join(dir, 'store'),
      connectorsDir: join(dir, 'connectors'),
      'log.format': 'json',
      ...settings,
    };
    const args = Object.entries(all).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const out = openSync(join(dir, 'node.log'), 'a');
    const started = performance.now();
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: dir, stdio: ['ignore', out, out] });
    closeSync(out);
    const url = `http://127.0.0.1:${port}`;
    await answers(child, `${url}/`, () => true);
    const restMs = performance.now() - started;
    await answers(child, `${url}/health`, (status) => status === 200);
    return new TroupeNode(child, url, restMs, performance.now() - started);
  }

  async put(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    await this.request('PUT', `/connectors/${name}/config`, config);
  }

  async request(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? null : (JSON.parse(text) as unknown);
  }

  /** Anonymous memory of all threads (the store's mapped pages are the kernel's to take back), and all resident. */
  memory(): { readonly rssAnonBytes: number; readonly rssBytes: number } {
    const status = readFileSync(`/proc/${this.#child.pid ?? 0}/status`, 'utf8');
    const kilobytes = (key: string): number =>
      Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024;
    return { rssAnonBytes: kilobytes('RssAnon'), rssBytes: kilobytes('VmRSS') };
  }

  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child.pid ?? 0}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    const forced = setTimeout(() => this.#child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(forced);
  }
}

async function answers(child: ChildProcess, url: string, good: (status: number) => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the node exited with code ${child.exitCode}`);
    try {
      const response = await fetch(url);
      await response.arrayBuffer();
      if (good(response.status)) return;
    } catch {
      // Not listening yet.
    }
    if (performance.now() > deadline) throw new Error(`${url} did not answer within 30 s`);
    await sleep(5);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
