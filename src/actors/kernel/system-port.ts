import type { MessagePort } from 'node:worker_threads';
import type { FromThread, SystemMethod } from './control.js';
import { ActorError } from './errors.js';
import type { LevelName, LoggerLevel } from '../../core/logger-levels.js';
import type { ActorId, ActorSpec, MetricsReport, SystemEvent, SystemRef, TreeNode } from './protocol.js';
import { fromWireError, type WireError } from './wire-error.js';

type Children = Awaited<ReturnType<SystemRef['children']>>;

interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The supervisor as this thread sees it. Its thread outlives this one, so calls need no deadline. */
export class SystemPort implements SystemRef {
  readonly #port: MessagePort;
  readonly #calls = new Map<number, Waiter>();
  readonly #watchers = new Map<ActorId, Set<(event: SystemEvent) => void>>();
  #nextCall = 0;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  async startChild(supervisor: ActorId, spec: ActorSpec): Promise<void> {
    await this.#call('startChild', supervisor, spec);
  }

  async replaceSpec(supervisor: ActorId, spec: ActorSpec): Promise<void> {
    await this.#call('replaceSpec', supervisor, spec);
  }

  async stopChild(id: ActorId): Promise<void> {
    await this.#call('stopChild', id);
  }

  async children(supervisor: ActorId): Promise<Children> {
    return (await this.#call('children', supervisor)) as Children;
  }

  async tree(): Promise<TreeNode> {
    return (await this.#call('tree')) as TreeNode;
  }

  async metrics(since: number): Promise<MetricsReport> {
    return (await this.#call('metrics', since)) as MetricsReport;
  }

  async logLevels(): Promise<readonly LoggerLevel[]> {
    return (await this.#call('logLevels')) as readonly LoggerLevel[];
  }

  async setLogLevel(logger: string, level: LevelName): Promise<readonly string[]> {
    return (await this.#call('setLogLevel', logger, level)) as readonly string[];
  }

  watch(supervisor: ActorId, listener: (event: SystemEvent) => void): void {
    const listeners = this.#watchers.get(supervisor);
    if (listeners !== undefined) {
      listeners.add(listener);
      return;
    }
    this.#watchers.set(supervisor, new Set([listener]));
    this.#post({ type: 'watch', supervisor });
  }

  shutdown(reason: string): void {
    this.#post({ type: 'shutdown', reason });
  }

  answered(call: number, value: unknown): void {
    this.#take(call)?.resolve(value);
  }

  refused(call: number, wire: WireError): void {
    const remoteCode = wire.code === null ? {} : { remoteCode: wire.code };
    this.#take(call)?.reject(
      new ActorError('REMOTE_ERROR', wire.message, { cause: fromWireError(wire), ...remoteCode }),
    );
  }

  event(supervisor: ActorId, event: SystemEvent): void {
    for (const listener of this.#watchers.get(supervisor) ?? []) listener(event);
  }

  #call(method: SystemMethod, ...args: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call = this.#nextCall++;
      this.#post({ type: 'call', call, method, args });
      this.#calls.set(call, { resolve, reject });
    });
  }

  #take(call: number): Waiter | undefined {
    const waiter = this.#calls.get(call);
    this.#calls.delete(call);
    return waiter;
  }

  #post(message: FromThread): void {
    this.#port.postMessage(message);
  }
}
