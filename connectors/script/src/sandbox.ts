/** QuickJS, compiled to WebAssembly: JavaScript that sees nothing of the process, and is ended when it takes too much. */
import { ConfigError, DataError, RetriableError } from '@troupe/sdk';
import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import { PRELUDE } from './prelude.js';

export interface Limits {
  readonly timeoutMs: number;
  readonly memoryBytes: number;
}

/** Calls of functions in functions; more would end the whole module. */
const MAX_STACK_BYTES = 256 * 1024;

const MAX_STEP_MS = 10;
/** The script itself is read once, when the thread may still be busy with its start. */
const START_MS = 2000;

const load = (): Promise<QuickJSWASMModule> =>
  newQuickJSWASMModuleFromVariant(import('@jitl/quickjs-wasmfile-release-sync'));

/** Of this thread, for all its scripts. */
let quickjs = await load();

interface Running {
  readonly of: QuickJSWASMModule;
  readonly runtime: QuickJSRuntime;
  readonly context: QuickJSContext;
  readonly run: QuickJSHandle;
}

/** One script. What it keeps in variables of its own is gone when it was ended. */
export class Sandbox {
  readonly #source: string;
  readonly #limits: Limits;
  #running: Running | null = null;
  #limitMs = 0;
  #takenMs = 0;
  #lookedAt = 0;
  #isLate = false;

  /** Throws ConfigError for a script that cannot run. */
  constructor(source: string, limits: Limits) {
    this.#source = source;
    this.#limits = limits;
    try {
      this.#running = this.#start();
    } catch (error) {
      throw new ConfigError(error instanceof Error ? error.message : String(error), {
        field: 'script',
        cause: error,
      });
    }
  }

  /** Throws DataError SCRIPT_FAILED, SCRIPT_TIMEOUT or SCRIPT_MEMORY; RetriableError while the sandbox is made anew. */
  call(text: string): string {
    try {
      const { context, run } = (this.#running ??= this.#start());
      this.#begin(this.#limits.timeoutMs);
      const given = context.newString(text);
      try {
        const result = context.callFunction(run, context.undefined, given);
        if (result.error !== undefined) throw this.#failure(context, result.error);
        const out = context.getString(result.value);
        result.value.dispose();
        return out;
      } finally {
        given.dispose();
      }
    } catch (error) {
      if (error instanceof DataError) {
        // Ended in the middle of whatever it did.
        if (error.code !== 'SCRIPT_FAILED') this.close();
        throw error;
      }
      throw this.#lost(error);
    }
  }

  close(): void {
    const running = this.#running;
    this.#running = null;
    if (running === null || running.of !== quickjs) return;
    try {
      running.run.dispose();
      running.context.dispose();
      running.runtime.dispose();
    } catch (error) {
      this.#lost(error);
    }
  }

  #start(): Running {
    const of = quickjs;
    const runtime = of.newRuntime();
    runtime.setMemoryLimit(this.#limits.memoryBytes);
    runtime.setMaxStackSize(MAX_STACK_BYTES);
    runtime.setInterruptHandler(() => this.#hasTaken());
    const context = runtime.newContext();
    const used: QuickJSHandle[] = [];
    try {
      this.#begin(Math.max(START_MS, this.#limits.timeoutMs));
      const make = this.#evaluated(context, PRELUDE, 'prelude');
      used.push(make);
      const script = this.#evaluated(context, `(${this.#source}\n)`, 'script');
      used.push(script);
      const made = context.callFunction(make, context.undefined, script);
      if (made.error !== undefined) throw this.#failure(context, made.error);
      for (const handle of used) handle.dispose();
      return { of, runtime, context, run: made.value };
    } catch (error) {
      for (const handle of used) handle.dispose();
      context.dispose();
      runtime.dispose();
      throw error;
    }
  }

  #begin(limitMs: number): void {
    this.#limitMs = limitMs;
    this.#takenMs = 0;
    this.#lookedAt = performance.now();
    this.#isLate = false;
  }

  /** Asked many times a millisecond: what is longer in between, the thread has waited, which is not the script's fault. */
  #hasTaken(): boolean {
    const now = performance.now();
    this.#takenMs += Math.min(now - this.#lookedAt, MAX_STEP_MS);
    this.#lookedAt = now;
    this.#isLate ||= this.#takenMs > this.#limitMs;
    return this.#isLate;
  }

  #evaluated(context: QuickJSContext, code: string, name: string): QuickJSHandle {
    const result = context.evalCode(code, name);
    if (result.error !== undefined) throw this.#failure(context, result.error);
    return result.value;
  }

  #failure(context: QuickJSContext, handle: QuickJSHandle): DataError {
    if (this.#isLate) {
      handle.dispose();
      const message = `the script was ended after ${this.#limitMs} ms (timeout.ms)`;
      return new DataError(message, { code: 'SCRIPT_TIMEOUT' });
    }
    const thrown: unknown = context.dump(handle);
    handle.dispose();
    const text = messageOf(thrown);
    // With no memory left there is none for an error, either.
    if (/out of memory/.test(text) || thrown === null)
      return new DataError('the script needs more memory than memory.max allows', { code: 'SCRIPT_MEMORY' });
    return new DataError(`the script failed: ${text}`, { code: 'SCRIPT_FAILED' });
  }

  /** The module itself has failed, with all scripts of the thread: another one takes its place, and the record comes again. */
  #lost(cause: unknown): RetriableError {
    this.#running = null;
    const ready = load().then((module) => {
      quickjs = module;
    });
    return new RetriableError('the sandbox of scripts is made anew', {
      code: 'SCRIPT_SANDBOX',
      cause,
      ready,
    });
  }
}

function messageOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown).slice(0, 500);
  const { name, message, stack }: { name?: unknown; message?: unknown; stack?: unknown } = thrown;
  const line = typeof stack === 'string' ? (/script:(\d+)/.exec(stack)?.[1] ?? null) : null;
  const text = `${String(name)}: ${String(message)}`.slice(0, 500);
  return line === null ? text : `${text} (line ${line})`;
}
