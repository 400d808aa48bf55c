/** A source and a sink on an array in memory, each with one fault, if any: what the acceptance suite is to find. */
import { openSync, closeSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  ConnectError,
  RetriableError,
  sourceRecord,
  type CommittedRecord,
  type ConfigDefinition,
  type JsonValue,
  type Plugin,
  type QueueRef,
  type Signal,
  type RecordTransaction,
  type SinkRecord,
  type SinkTask,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
  type TaskContext,
} from '#troupe/sdk/index.js';
import type { SinkFixture, SourceFixture } from '#troupe/sdk/testing/index.js';

export type Fault =
  | 'none'
  | 'none, in transactions'
  | 'ends no transactions'
  | 'goes on within transactions'
  | 'mixes transactions'
  | 'marks no transactions'
  | 'tells a password in a RetriableError'
  | 'logs an error with a password'
  | 'counts no number'
  | 'has a label with too many values'
  | 'tells a password in a label'
  | 'leaves a timer'
  | 'leaves a socket'
  | 'leaves a file'
  | 'waits on'
  | 'waits on in start'
  | 'polls busily'
  | 'fails at tombstones'
  | 'takes a failed put for done'
  | 'forgets what a flush could not write'
  | 'hides that a flush failed'
  | 'takes a new life of a topic for the old one'
  | 'answers a signal with no JSON'
  | 'hangs in a signal'
  | 'stops at a signal'
  | 'refuses its own positions'
  | 'none, and rests'
  | 'rests in seconds'
  | 'takes a rest for what it has read'
  | 'fails at records that were left out'
  | 'fails when it is asked for its thread'
  | 'is closed when it may give up its thread';

const PASSWORD = 'open "sesame" 17';
const config: ConfigDefinition = [
  { name: 'password', type: 'PASSWORD', importance: 'HIGH', documentation: 'Opens the system in memory.' },
];

/** The system of the one test that runs. */
const system = {
  items: new Array<unknown>(),
  /** Of each item. */
  transactions: new Array<RecordTransaction>(),
  polled: 0,
  rested: false,
  away: false,
  port: 0,
};
const closers: (() => void)[] = [];
const ended = new AbortController();

/** Lets the process end, whatever the plugins left open. */
export function endAll(): void {
  ended.abort();
  for (const close of closers) close();
}

class FaultyTask {
  readonly fault: Fault;
  context: TaskContext | null = null;
  signalled = false;

  constructor(fault: Fault) {
    this.fault = fault;
  }

  async start(context: TaskContext): Promise<void> {
    this.context = context;
    if (this.fault === 'logs an error with a password')
      context.log.debug('began', { because: [new Error(`opened by ${PASSWORD}`)] });
    const counter = context.metrics.counter({ name: 'starts_total', help: 'Starts.', labels: ['why'] });
    counter.with({ why: this.fault === 'tells a password in a label' ? PASSWORD : 'asked' }).add();
    if (this.fault === 'counts no number') counter.with({ why: 'asked' }).add(NaN);
    if (this.fault === 'has a label with too many values')
      for (let i = 0; i < 1001; i += 1) counter.with({ why: `row ${i}` }).add();
    if (this.fault === 'leaves a timer')
      keep(
        setInterval(() => undefined, 60_000),
        clearInterval,
      );
    if (this.fault === 'leaves a file') keep(openSync(fileURLToPath(import.meta.url), 'r'), closeSync);
    if (this.fault === 'leaves a socket') {
      const socket = connect(system.port, '127.0.0.1');
      await new Promise((resolve) => socket.once('connect', resolve));
      keep(socket, (open) => open.destroy());
    }
    if (this.fault === 'waits on in start' && system.away) await this.pause(60_000);
  }

  stop(): void {
    this.context = null;
  }

  async signal({ type }: Signal): Promise<JsonValue> {
    // What TypeScript would not let through.
    if (this.fault === 'answers a signal with no JSON') return { at: new Date() } as unknown as JsonValue;
    if (this.fault === 'hangs in a signal') await sleep(60_000, undefined, { signal: ended.signal });
    if (this.fault === 'stops at a signal') this.signalled = true;
    throw new ConnectError(`no signal is called ${type}`, { code: 'UNKNOWN_SIGNAL' });
  }

  async pause(ms: number): Promise<void> {
    const deaf = this.fault === 'waits on' || this.fault === 'waits on in start';
    const signal = deaf ? ended.signal : (this.context?.signal ?? ended.signal);
    await sleep(deaf ? 60_000 : ms, undefined, { signal }).catch(() => undefined);
  }

  away(): RetriableError {
    const told = this.fault === 'tells a password in a RetriableError' ? ` to ${PASSWORD}` : '';
    return new RetriableError(`the system is away${told}`);
  }
}

class FaultySource extends FaultyTask implements SourceTask {
  #after = 0;
  sourceContext: SourceTaskContext | null = null;

  override async start(context: Parameters<SourceTask['start']>[0]): Promise<void> {
    await super.start(context);
    this.sourceContext = context;
    const after = context.position({ in: 'memory' })?.['after'];
    this.#after = typeof after === 'number' ? after : 0;
    if (this.fault === 'goes on within transactions') this.#after = system.polled;
    // As if it had read to the end before it rested.
    if (system.rested) this.#after = system.items.length;
  }

  async poll(): Promise<readonly SourceRecord[]> {
    if (this.signalled) return [];
    if (system.away) throw this.away();
    const records = system.items.slice(this.#after).map((value, at) => {
      const sourcePosition = { after: this.#after + at + 1 };
      const transaction = this.#transaction(this.#after + at);
      return sourceRecord({ sourcePartition: { in: 'memory' }, sourcePosition, value, transaction });
    });
    this.#after += records.length;
    system.polled = this.#after;
    if (records.length === 0 && this.fault !== 'polls busily') await this.pause(5);
    if (records.length === 0 && this.fault.includes('rest'))
      this.sourceContext?.rest(
        this.fault === 'rests in seconds' ? Date.now() / 1000 : Date.now() + 3_600_000,
      );
    if (records.length === 0 && this.fault === 'takes a rest for what it has read') system.rested = true;
    return records;
  }

  commitRecords(records: readonly CommittedRecord[]): void {
    for (const { at } of records)
      if (at === null && this.fault === 'fails at records that were left out')
        throw new TypeError('null has no offset');
  }

  #transaction(item: number): RecordTransaction | null {
    const transaction = system.transactions[item] ?? null;
    if (
      !this.fault.includes('transactions') ||
      this.fault === 'marks no transactions' ||
      transaction === null
    )
      return null;
    if (this.fault === 'ends no transactions') return { ...transaction, end: false };
    if (this.fault === 'mixes transactions') return { id: `t${item % 2}`, end: transaction.end };
    return transaction;
  }
}

class FaultySink extends FaultyTask implements SinkTask {
  #held: unknown[] = [];
  readonly #next = new Map<string, number>();

  #closed = false;

  mayPassivate(): boolean {
    if (this.fault === 'fails when it is asked for its thread') throw new TypeError('nothing was put yet');
    this.#closed = this.fault === 'is closed when it may give up its thread';
    return true;
  }

  open(queues: readonly QueueRef[]): void {
    if (this.fault === 'takes a new life of a topic for the old one') return;
    for (const { topic, queue } of queues) this.#next.delete(`${topic}/${queue}`);
  }

  async put(records: readonly SinkRecord[]): Promise<void> {
    if (this.#closed) throw new TypeError('it is closed');
    if (this.signalled) return;
    const fresh = records.filter((record) => record.originalOffset >= (this.#next.get(placeOf(record)) ?? 0));
    const values = this.#valuesOf(fresh);
    if (this.fault === 'takes a failed put for done') this.#taken(records);
    if (system.away) {
      if (this.fault === 'waits on') await this.pause(60_000);
      // This one holds what it is given, and writes in flush.
      if (!this.fault.includes('flush')) throw this.away();
    }
    this.#taken(records);
    this.#held.push(...values);
  }

  #taken(records: readonly SinkRecord[]): void {
    for (const record of records) this.#next.set(placeOf(record), record.originalOffset + 1);
  }

  #valuesOf(records: readonly SinkRecord[]): unknown[] {
    const values = records.map(({ value }) => value);
    if (this.fault === 'fails at tombstones' && values.includes(null))
      throw new TypeError('null has no properties');
    return values.filter((value) => value !== null);
  }

  flush(): void {
    const held = this.#held;
    if (!system.away) {
      system.items.push(...held);
      this.#held = [];
      return;
    }
    if (this.fault === 'forgets what a flush could not write') this.#held = [];
    if (this.fault !== 'hides that a flush failed') throw this.away();
  }
}

function placeOf({ originalTopic, originalQueue }: SinkRecord): string {
  return `${originalTopic}/${originalQueue}`;
}

function keep<T>(held: T, close: (held: T) => unknown): void {
  closers.push(() => {
    close(held);
  });
}

export function faultyPlugin(type: 'source' | 'sink', fault: Fault): Plugin {
  const common = {
    version: '1',
    config,
    taskConfigs: (_: object, __: object, raw: Record<string, string>) => [raw],
  };
  return type === 'source'
    ? {
        type,
        plugin: {
          ...common,
          kind: type,
          createTask: () => new FaultySource(fault),
          checkPositions: () => {
            if (fault === 'refuses its own positions') throw new ConnectError('no such partition');
          },
        },
      }
    : { type, plugin: { ...common, kind: type, createTask: () => new FaultySink(fault) } };
}

export async function setup(fault: Fault): Promise<SourceFixture & SinkFixture> {
  system.items = [];
  system.transactions = [];
  system.polled = 0;
  system.rested = false;
  system.away = false;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // It listens on a port.
  system.port = (server.address() as AddressInfo).port;
  const produce = async (count: number): Promise<readonly unknown[]> => {
    const made = Array.from({ length: count }, (_, i) => `item ${system.items.length + i}`);
    const id = `t${system.items.length}`;
    system.transactions.push(...made.map((_, i) => ({ id, end: i === count - 1 })));
    system.items.push(...made);
    return made;
  };
  return {
    config: { password: PASSWORD },
    produce,
    ...(fault.includes('transactions') && { produceTogether: produce }),
    read: async () => system.items,
    interrupt: async () => {
      system.away = true;
      return async () => {
        system.away = false;
      };
    },
    cleanup: async () => {
      server.close();
    },
  };
}
