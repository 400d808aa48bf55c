/** The log actor's handlers in a thread of their own, without a supervisor around them. */
import { MessageChannel, Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';

import { handlersOf } from '#troupe/actors/log/behavior.js';
import { newCounters } from '#troupe/actors/kernel/channel.js';
import type { ChannelEnd } from '#troupe/actors/kernel/channel.js';
import { Mailbox } from '#troupe/actors/kernel/mailbox.js';
import type { ActorLogger, Handlers, Protocol } from '#troupe/actors/kernel/protocol.js';
import { PortRef } from '#troupe/actors/kernel/ref.js';
import { LogClient } from '#troupe/actors/log/client.js';
import type { LogClientOptions } from '#troupe/actors/log/client.js';
import type { LogProtocol } from '#troupe/actors/log/protocol.js';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import type { StoreOptions } from '#troupe/log/embedded/store.js';

export interface LogThreadHandle {
  /** What another thread needs to reach it; `port` is to be transferred. */
  channel(): ChannelEnd;
  client(options?: LogClientOptions): LogClient;
  stop(): Promise<void>;
  /** As a watchdog would: in the middle of whatever it does. */
  terminate(): Promise<void>;
}

export async function startLogThread(options: StoreOptions): Promise<LogThreadHandle> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { logThread: options } });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
  const channel = (): ChannelEnd => {
    const { port1, port2 } = new MessageChannel();
    const counters = newCounters();
    worker.postMessage({ peer: 'test', port: port2, counters, incarnation: 1 } satisfies ChannelEnd, [port2]);
    return { peer: 'log', port: port1, counters, incarnation: 1 };
  };
  return {
    channel,
    client: (clientOptions) => clientOf(channel(), clientOptions),
    stop: async () => {
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      worker.postMessage('stop');
      await exited;
    },
    terminate: async () => {
      await worker.terminate();
    },
  };
}

export function clientOf(end: ChannelEnd, options?: LogClientOptions): LogClient {
  const ref = new PortRef<LogProtocol>('log');
  ref.connect(end);
  return new LogClient(ref, options);
}

const silent: ActorLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

function optionsOfThread(): StoreOptions | null {
  const data = workerData as { logThread?: StoreOptions } | null;
  return isMainThread ? null : (data?.logThread ?? null);
}

async function serve(port: MessagePort, options: StoreOptions): Promise<void> {
  const store = await EmbeddedStore.open(options);
  const crash = (error: unknown): never => {
    throw error;
  };
  // The mailbox takes what any actor handles; the kernel's thread entry does the same.
  const handlers = handlersOf(store) as unknown as Handlers<Protocol>;
  const mailbox = new Mailbox({ id: 'log', handlers, log: silent, crash });
  port.on('message', (message: ChannelEnd | 'stop') => {
    if (message === 'stop') void store.close().then(() => process.exit(0));
    else mailbox.serve(message);
  });
  port.postMessage('ready');
}

const options = optionsOfThread();
if (parentPort !== null && options !== null) await serve(parentPort, options);
