/** A Java process that can be started again after it was stopped or killed, and never outlives this process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './wait.js';

export interface JavaProcessOptions {
  readonly name: string;
  /** Working folder and Java's `user.home`; `console.log` in it takes the output. It must exist. */
  readonly dir: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What it prints once it serves. */
  readonly readyText: string;
  /** Called when it served and then ended without having been stopped or killed from here. */
  readonly onDeath?: ((process: JavaProcess) => void) | undefined;
}

/** Bounds, not expectations. */
const START_MS = 120_000;
const STOP_MS = 30_000;

/**
 * Becomes Java (so Java has this shell's pid, `$$`), after it left a watcher behind that waits for the end of a pipe
 * which only our process holds open: the kernel closes it however we end, SIGKILL included.
 */
const WATCHED = 'exec 3<&0; { cat <&3; kill -9 $$; } >/dev/null 2>&1 & exec "$@" </dev/null 3<&-';

export class JavaProcess {
  readonly name: string;
  readonly log: string;
  readonly #options: JavaProcessOptions;
  #child: ChildProcess | null = null;
  #serving = false;
  #ended: string | null = 'not started';
  #end: Promise<void> = Promise.resolve();

  constructor(options: JavaProcessOptions) {
    this.#options = options;
    this.name = options.name;
    this.log = join(options.dir, 'console.log');
  }

  get running(): boolean {
    return this.#ended === null;
  }

  /** How it ended last. */
  get ended(): string | null {
    return this.#ended;
  }

  get pid(): number {
    if (!this.running || this.#child?.pid === undefined) throw new Error(`${this.name} is not running`);
    return this.#child.pid;
  }

  /** Starts it and waits until it serves. */
  async start(): Promise<void> {
    if (this.running) throw new Error(`${this.name} is running already`);
    const before = statSync(this.log, { throwIfNoEntry: false })?.size ?? 0;
    this.#spawn();
    try {
      await until(
        `${this.name} serves`,
        () => !this.running || this.#output(before).includes(this.#options.readyText),
        START_MS,
      );
    } catch (error) {
      await this.kill();
      throw new Error(`${String(error)}\n${this.lastLines()}`, { cause: error });
    }
    if (!this.running)
      throw new Error(`${this.name} ended at its start (${String(this.#ended)}):\n${this.lastLines()}`);
    this.#serving = true;
  }

  /** An orderly end; forced when it takes too long. */
  async stop(): Promise<void> {
    if (!this.running) return;
    this.#serving = false;
    this.#child?.kill('SIGTERM');
    const force = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_MS);
    await this.#end;
    clearTimeout(force);
  }

  /** SIGKILL, and waits for the end. */
  async kill(): Promise<void> {
    if (!this.running) return;
    this.#serving = false;
    this.#child?.kill('SIGKILL');
    await this.#end;
  }

  lastLines(count = 30): string {
    return this.#output(0).trimEnd().split('\n').slice(-count).join('\n');
  }

  #spawn(): void {
    const { dir, args, env, onDeath } = this.#options;
    const output = openSync(this.log, 'a');
    // A session of its own: Ctrl-C on the terminal reaches us only, and we stop things in order.
    const child = spawn('sh', ['-c', WATCHED, 'sh', 'java', `-Duser.home=${dir}`, ...args], {
      cwd: dir,
      env: { ...process.env, ...env },
      stdio: ['pipe', output, output],
      detached: true,
    });
    closeSync(output);
    this.#child = child;
    this.#ended = null;
    this.#end = new Promise((resolve) => {
      const ended = (how: string): void => {
        this.#ended = how;
        resolve();
        if (this.#serving) onDeath?.(this);
        this.#serving = false;
      };
      child.once('exit', (code, signal) => ended(signal ?? `exit code ${String(code)}`));
      child.once('error', (error) => ended(error.message));
    });
  }

  #output(from: number): string {
    return readFileSync(this.log).subarray(from).toString('utf8');
  }
}
