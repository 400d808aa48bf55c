import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './ports.js';
import { until } from './wait.js';

/** Characters of a node's output in the error of a test. */
const SHOWN_OUTPUT = 8000;
const MAIN = fileURLToPath(import.meta.resolve('#troupe/supervisor.js'));

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'troupe-test-'));
}

export function removeFolder(dir: string): void {
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** A bound for what takes starts of threads and processes, not an expectation. */
export const START_MS = 60_000;

/** A node's REST API. */
export class RestClient {
  readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      ...(body === undefined
        ? { headers }
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : parse(text) };
  }

  /** Creates or replaces a connector and waits until it and its tasks are RUNNING. */
  async run(name: string, config: Record<string, string>): Promise<void> {
    const reply = await this.request('PUT', `/connectors/${encodeURIComponent(name)}/config`, config);
    if (reply.status >= 300) throw new Error(`PUT ${name}: ${reply.status} ${JSON.stringify(reply.body)}`);
    await this.state(name, 'RUNNING');
  }

  async state(name: string, state: string): Promise<void> {
    await until(
      `${name} and its tasks are ${state}`,
      async () => {
        const { body } = await this.request('GET', `/connectors/${encodeURIComponent(name)}/status`);
        const text = JSON.stringify(body);
        const states = [...text.matchAll(/"state":"(\w+)"/g)].map((match) => match[1]);
        if (states.length >= 2 && states.every((found) => found === state)) return true;
        throw new Error(text);
      },
      START_MS,
    );
  }
}

/** One real node: `node dist/supervisor.js` in a folder of its own, driven over REST and by signals. */
export class NodeProcess extends RestClient {
  readonly dir: string;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #main: string;
  #child: ChildProcess | null = null;
  #output = '';

  private constructor(dir: string, port: number, settings: Readonly<Record<string, string>>, main: string) {
    super(port);
    this.dir = dir;
    this.#main = main;
    this.#settings = settings;
  }

  /**
   * `dir` is also the working folder; settings are passed as `--set key=value`. `main` is what is started, if not what
   * this checkout has built.
   */
  static async create(
    dir: string,
    settings: Readonly<Record<string, string>> = {},
    main = MAIN,
  ): Promise<NodeProcess> {
    return new NodeProcess(dir, await freePort(), settings, main);
  }

  get output(): string {
    return this.#output;
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('the node is not running');
    return this.#child.pid;
  }

  /** Spawns the process; does not wait. */
  spawn(): void {
    const settings = {
      httpPort: String(this.port),
      storePathRootDir: join(this.dir, 'store'),
      connectorsDir: join(this.dir, 'connectors'),
      'log.format': 'json',
      'log.level': 'info',
      // What else is in the checkout is not what is tested.
      'plugins.installed.enable': 'false',
      // Tests kill nodes more often than any task does.
      'quarantine.deaths': '0',
      ...this.#settings,
    };
    const args = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const child = spawn(process.execPath, [this.#main, ...args], {
      cwd: this.dir,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#output = '';
    const collect = (data: Buffer): void => {
      this.#output = (this.#output + data.toString('utf8')).slice(-200_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
  }

  async start(deadlineMs?: number): Promise<void> {
    this.spawn();
    await this.booted(deadlineMs);
  }

  async booted(deadlineMs = START_MS): Promise<void> {
    await until(
      'the node has booted',
      () => {
        if (this.#child?.exitCode !== null) throw new Error(`the node exited: ${this.#output}`);
        return this.#output.includes('boot success');
      },
      deadlineMs,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; its last lines:\n${this.#output.slice(-SHOWN_OUTPUT)}`);
    });
  }

  /** SIGKILL, and wait for the end. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM: an orderly stop. Answers the exit code. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  async exited(): Promise<number | null> {
    const child = this.#child;
    if (child === null) return null;
    if (child.exitCode === null && child.signalCode === null) {
      await new Promise((resolve) => child.once('exit', resolve));
    }
    return child.exitCode;
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.#child === null) return null;
    this.#child.kill(signal);
    const code = await this.exited();
    this.#child = null;
    return code;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** The content of a file, or null when there is none (yet). */
export function contentOf(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
