import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { newCounters, waiting } from '#troupe/actors/kernel/channel.js';
import { Mailbox } from '#troupe/actors/kernel/mailbox.js';
import type { ActorLogger, AskCall, Handlers, Protocol } from '#troupe/actors/kernel/protocol.js';
import { PortRef } from '#troupe/actors/kernel/ref.js';
import { RetriableError } from '#troupe/sdk/errors.js';
import { until } from '../../support/wait.js';

const SOON = { deadlineMs: 10_000 };
const open: MessagePort[] = [];

afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

function logger(lines: object[]): ActorLogger {
  const note = (fields: object, message: string): void => void lines.push({ ...fields, message });
  const self: ActorLogger = { debug: note, info: note, warn: note, error: note, child: () => self };
  return self;
}

/** A ref and a mailbox with a channel between them, both in this thread. */
function connect(handlers: Partial<Handlers<Protocol>>, window = 4) {
  const lines: object[] = [];
  const crashes: unknown[] = [];
  const mailbox = new Mailbox({
    id: 'target',
    handlers: { tell: {}, ask: {}, ...handlers },
    log: logger(lines),
    crash: (error) => crashes.push(error),
  });
  const ref = new PortRef<Protocol>('target', window);
  const { port1, port2 } = new MessageChannel();
  const counters = newCounters();
  ref.connect({ peer: 'target', port: port1, counters, incarnation: 1 });
  mailbox.serve({ peer: 'asker', port: port2, counters, incarnation: 1 });
  open.push(port1, port2);
  return { ref, mailbox, counters, lines, crashes, askerPort: port1, targetPort: port2 };
}

test('a buffer is moved with an ask and back with its answer, not copied', async () => {
  const { ref } = connect({
    ask: {
      double: (request, call) => {
        const bytes = request as Uint8Array<ArrayBuffer>;
        bytes[0]! *= 2;
        call.transfer([bytes.buffer]);
        return bytes;
      },
    },
  });
  const bytes = new Uint8Array([21, 0, 0]);
  const answer = await ref.ask('double', bytes, { ...SOON, transfer: [bytes.buffer] });
  assert.deepEqual(answer, new Uint8Array([42, 0, 0]));
  assert.equal(bytes.byteLength, 0);
});

test('what cannot be cloned fails where it is sent, and takes nothing from the window', async () => {
  const { ref } = connect(
    { ask: { odd: () => () => undefined, even: () => 2 }, tell: { hear: () => undefined } },
    2,
  );
  const uncloneable = (): void => undefined;
  for (let i = 0; i < 5; i += 1) {
    await assert.rejects(ref.ask('even', uncloneable, SOON), { name: 'DataCloneError' });
    assert.throws(() => ref.tell('hear', uncloneable), { name: 'DataCloneError' });
    await assert.rejects(ref.ask('odd', null, SOON), {
      code: 'REMOTE_ERROR',
      message: /could not be cloned/,
    });
  }
  assert.equal(await ref.ask('even', null, SOON), 2);
});

test('an ask that was given up holds its place in the window until its handler is done', async () => {
  const finish: (() => void)[] = [];
  const { ref } = connect({ ask: { work: () => new Promise<void>((resolve) => finish.push(resolve)) } }, 2);
  for (let i = 0; i < 2; i += 1)
    await assert.rejects(ref.ask('work', null, { deadlineMs: 1 }), { code: 'ASK_TIMEOUT', retriable: true });
  await assert.rejects(ref.ask('work', null, SOON), { code: 'MAILBOX_FULL', retriable: true });
  assert.equal(ref.tell('anything', null), false);
  await until('both are taken', () => finish.length === 2);
  for (const each of finish) each();
  await until('there is room again', () => ref.tell('anything', null));
});

test('the depth of the mailbox counts what no handler has seen, not what is being worked on', async () => {
  const { ref, counters } = connect({ ask: { work: () => new Promise<void>(() => undefined) } });
  for (let i = 0; i < 3; i += 1) void ref.ask('work', null, SOON).catch(() => undefined);
  assert.equal(waiting(counters), 3);
  await until('all are taken', () => waiting(counters) === 0);
});

test('handlers of an asker that is gone see their signal aborted, also when they look at it later', async () => {
  const calls: AskCall[] = [];
  const { ref, askerPort } = connect({
    ask: {
      work: (_request, call) => {
        if (calls.push(call) === 1) assert.equal(call.signal.aborted, false);
        return new Promise<void>(() => undefined);
      },
    },
  });
  const asks = [ref.ask('work', null, SOON), ref.ask('work', null, SOON)];
  await until('both are taken', () => calls.length === 2);
  askerPort.close();
  for (const ask of asks) await assert.rejects(ask, { code: 'ACTOR_DOWN', retriable: true });
  await until('both know', () => calls.every((call) => call.signal.aborted));
});

test('a ref is plugged into the next incarnation while asks to the former wait', async () => {
  const first = connect({ ask: { who: () => new Promise<void>(() => undefined) } });
  const changes: string[] = [];
  const unsubscribe = first.ref.onChange((up, incarnation) => changes.push(`${up} ${incarnation}`));
  const waitingAsk = first.ref.ask('who', null, SOON);
  const second = connect({ ask: { who: () => 'second' } });
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  const counters = newCounters();
  first.ref.connect({ peer: 'target', port: port1, counters, incarnation: 2 });
  second.mailbox.serve({ peer: 'asker', port: port2, counters, incarnation: 2 });
  await assert.rejects(waitingAsk, { code: 'ACTOR_DOWN' });
  assert.equal(await first.ref.ask('who', null, SOON), 'second');
  unsubscribe();
  port2.close();
  await until('it is down', () => !first.ref.up);
  assert.deepEqual(changes, ['true 1', 'false 1', 'true 2']);
});

test('an error of the SDK keeps its code and that it may be tried again; so does one passed on', async () => {
  const { ref } = connect({
    ask: {
      busy: () => {
        throw new RetriableError('come back later');
      },
      broken: async () => {
        throw Object.assign(new Error('bad'), { code: 'BAD' });
      },
      relay: () => inner.ref.ask('broken', null, SOON),
      odd: () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error
        throw { not: 'an error' };
      },
    },
  });
  const inner = connect({
    ask: { broken: () => Promise.reject(Object.assign(new Error('bad'), { code: 'BAD' })) },
  });
  await assert.rejects(ref.ask('busy', null, SOON), {
    code: 'REMOTE_ERROR',
    remoteCode: 'RETRIABLE',
    retriable: true,
  });
  await assert.rejects(ref.ask('broken', null, SOON), { remoteCode: 'BAD', retriable: false });
  await assert.rejects(ref.ask('relay', null, SOON), { remoteCode: 'BAD', message: 'bad' });
  await assert.rejects(ref.ask('odd', null, SOON), {
    remoteCode: null,
    message: 'not an Error: {"not":"an error"}',
  });
});

test('a tell whose handler throws crashes its actor; garbage and unknown messages are counted and said rarely', async () => {
  const { ref, mailbox, lines, crashes, askerPort } = connect({
    tell: {
      bad: () => {
        throw new Error('in a tell');
      },
    },
  });
  ref.tell('bad', null);
  await until('it crashed', () => crashes.length === 1);
  for (const garbage of [null, 7, 'text', [], [99], [1, 'no number'], { type: 'tell' }])
    askerPort.postMessage(garbage);
  for (let i = 0; i < 93; i += 1) await until('there is room', () => ref.tell(`unknown`, null));
  await until('all are counted', () => mailbox.unknown === 100);
  assert.equal(lines.length, 7, 'at 1, 2, 4 … 64');
  await assert.rejects(ref.ask('constructor', null, SOON), {
    code: 'UNKNOWN_MESSAGE',
    message: /"constructor"/,
  });
});
