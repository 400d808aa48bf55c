/**
 * The `log` actor: the one thread of the process that has lmdb loaded. No plugin runs here, so whatever happens to
 * a task's thread, no transaction and no reader slot goes with it.
 */
import { EmbeddedStore } from '../../log/embedded/store.js';
import type { AppendReply, LogActorParams, LogProtocol } from './protocol.js';
import { LogError } from '../../log/log.js';
import type { AppendRequest, EncodedBatch, ReadResult } from '../../log/log.js';
import type { ActorContext, AskCall, Behavior, Handlers, RunningActor } from '../kernel/protocol.js';

type NoPeers = Record<never, never>;

const behavior: Behavior<LogProtocol, NoPeers, LogActorParams> = {
  async start(context: ActorContext<NoPeers, LogActorParams>): Promise<RunningActor<LogProtocol>> {
    const { params, log } = context;
    const opened = new Int32Array(params.opened ?? new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const store = await EmbeddedStore.open({
      ...params,
      mustExist: Atomics.load(opened, 0) !== 0,
      onLost: (error) => log.error({ err: error, code: 'STORE_LOST' }, error.message),
      onFatal: (error) => context.crash(error),
      onBackgroundError: (error) =>
        log.warn(
          { err: error },
          'the log could not delete what retention no longer keeps; it will try again',
        ),
    });
    Atomics.store(opened, 0, 1);
    return { handlers: handlersOf(store), stop: () => store.close() };
  },
};

export default behavior;

export function handlersOf(store: EmbeddedStore): Handlers<LogProtocol> {
  const done = (): null => null;
  return {
    tell: {},
    ask: {
      createTopic: ({ name, settings }) => store.createTopic(name, settings),
      describeTopic: ({ name }) => store.describeTopic(name),
      listTopics: () => store.listTopics(),
      deleteTopic: ({ name }) => store.deleteTopic(name).then(done),
      append: (request, call) => append(store, request, call),
      awaitRecords: ({ places, waitMs }, call) => store.awaitRecords(places, waitMs, call.signal),
      read: async (question, call) =>
        transferred(await store.read({ ...question, signal: call.signal }), call),
      ranges: ({ topic }) => store.ranges(topic),
      trim: ({ topic, queue, offset }) => store.trim(topic, queue, offset).then(done),
      fence: (fence) => store.fence(fence).then(done),
      subscribe: ({ group, topics }) => store.subscribe(group, topics).then(done),
      commitOffsets: ({ group, offsets }) => store.commitOffsets(group, offsets).then(done),
      committedOffsets: ({ group }) => store.committedOffsets(group),
      listGroups: () => store.listGroups(),
      deleteGroup: ({ group }) => store.deleteGroup(group).then(done),
      figures: () => store.figures(),
    },
  };
}

async function append(store: EmbeddedStore, request: AppendRequest, call: AskCall): Promise<AppendReply> {
  try {
    return { offsets: await store.append(request) };
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    const batches = request.entries.map((entry) => entry.batch);
    call.transfer(buffersOf(batches));
    return {
      refused: { code: error.code, message: error.message },
      batches: batches.map((batch) => batch.bytes),
    };
  }
}

function transferred(result: ReadResult, call: AskCall): ReadResult {
  call.transfer(buffersOf(result.batches.map(({ batch }) => batch)));
  return result;
}

/** Each once: one batch may stand twice in an append. */
function buffersOf(batches: readonly EncodedBatch[]): ArrayBuffer[] {
  return [...new Set(batches.map(({ bytes }) => bytes.buffer))].filter(
    (buffer) => buffer instanceof ArrayBuffer,
  );
}
