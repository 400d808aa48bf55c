import { randomUUID } from 'node:crypto';
import { groupOf, parseUnitKey, type ConnectorEntry, type UnitKey } from '../../core/model.js';
import {
  offsetMachine,
  offsetsOf,
  positionMachine,
  positionsOf,
  type OffsetEntry,
  type OffsetState,
  type PositionEntry,
  type PositionState,
  type ProgressResult,
} from '../../core/progress-machine.js';
import { Replica } from '../../core/replicated-state.js';
import { decodeConnectors, type SavedConnector } from '../../core/state-files.js';
import type { LogProtocol } from '../../log/embedded/protocol.js';
import { LogError, type Log } from '../../log/log.js';
import { openLog } from '../../log/open.js';
import { openReplicatedTopic } from '../../log/replicated-topic.js';
import { behavior } from '../kernel/behavior.js';
import type { ActorContext } from '../kernel/protocol.js';
import { reportIssue } from '../replica-issues.js';
import { FileWriter } from './file-writer.js';
import { StateFiles } from './files.js';
import type { PersistenceParams } from './params.js';
import type { ConnectorProgress, PersistenceProtocol } from './protocol.js';

interface Peers {
  log: LogProtocol;
}

type PositionReplica = Replica<PositionState, PositionEntry, ProgressResult>;
type OffsetReplica = Replica<OffsetState, OffsetEntry, ProgressResult>;

/** Progress of sources and sinks as replicated states, and the four files under storePathRootDir. */
export default behavior<PersistenceProtocol, Peers, PersistenceParams>({
  async start(context) {
    const log = openLog(context.peers.log);
    const { positions, offsets } = await openReplicas(context, log);
    const files = new StateFiles(context.params.dir);
    const saved = await readSaved(context, files);
    const persistence = new Persistence(log, positions, offsets);
    const writer = new FileWriter(context, files, positions, offsets, () => persistence.connectors);
    const following = new AbortController();
    for (const replica of [positions, offsets]) {
      replica.follow(following.signal).catch((error: unknown) => {
        context.crash(error);
      });
    }
    writer.start();
    return {
      handlers: {
        tell: {
          configs: ({ connectors }) => {
            persistence.setConnectors(connectors).catch((error: unknown) => {
              context.log.warn({ err: error }, 'consumer groups of deleted connectors could not be removed');
            });
          },
        },
        ask: {
          open: ({ unit, epoch, kind }) => persistence.open(unit, epoch, kind),
          progress: ({ connector }) => persistence.progress(connector),
          savedConfigs: () => saved,
          persist: async () => ({ files: await writer.writeAll() }),
        },
      },
      stop: async () => {
        await writer.stop();
        following.abort();
      },
    };
  },
});

async function openReplicas(
  context: ActorContext<Peers, PersistenceParams>,
  log: Log,
): Promise<{ positions: PositionReplica; offsets: OffsetReplica }> {
  const { workerId, positionTopic, offsetTopic } = context.params;
  const writer = { node: workerId, incarnation: `persistence#${randomUUID()}` };
  const positions: PositionReplica = new Replica({
    machine: positionMachine,
    port: await openReplicatedTopic(log, positionTopic),
    writer,
    onIssue: reportIssue(context.log, positionTopic),
  });
  const offsets: OffsetReplica = new Replica({
    machine: offsetMachine,
    port: await openReplicatedTopic(log, offsetTopic),
    writer,
    onIssue: reportIssue(context.log, offsetTopic),
  });
  await Promise.all([positions.boot(context.signal), offsets.boot(context.signal)]);
  return { positions, offsets };
}

/** Looks at all four files, so that a broken one is set aside before it is written over. */
async function readSaved(
  context: ActorContext<Peers, PersistenceParams>,
  files: StateFiles,
): Promise<SavedConnector[] | null> {
  const broken = (message: string): void => {
    context.log.warn({ code: 'STATE_FILE_BROKEN' }, message);
  };
  const connectors = await files.read('connectors', broken);
  for (const file of ['tasks', 'positions', 'offsets'] as const) await files.read(file, broken);
  if (connectors === null) return null;
  try {
    return decodeConnectors(connectors);
  } catch (error) {
    broken(`connectorConfig.json is not used: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

class Persistence {
  #connectors: readonly ConnectorEntry[] | null = null;
  readonly #log: Log;
  readonly #positions: PositionReplica;
  readonly #offsets: OffsetReplica;

  constructor(log: Log, positions: PositionReplica, offsets: OffsetReplica) {
    this.#log = log;
    this.#positions = positions;
    this.#offsets = offsets;
  }

  /** null: config-sync has not said yet. */
  get connectors(): readonly ConnectorEntry[] | null {
    return this.#connectors;
  }

  /** A group that outlived its connector would hold back retention for ever. The offset topic still knows its offsets. */
  async setConnectors(connectors: readonly ConnectorEntry[]): Promise<void> {
    const before = this.#connectors;
    this.#connectors = connectors;
    const present = new Set(connectors.map(({ name }) => groupOf(name)));
    const gone =
      before === null
        ? (await this.#log.listGroups()).filter((group) => group.startsWith(groupOf('')))
        : before.map(({ name }) => groupOf(name));
    for (const group of gone) if (!present.has(group)) await this.#log.deleteGroup(group);
  }

  /** Nothing that an older owner of the unit still writes counts from here on, in the topics and in the store. */
  async open(unit: UnitKey, epoch: number, kind: 'source' | 'sink'): Promise<ConnectorProgress> {
    await this.#log.fence({ key: unit, epoch });
    const replica = kind === 'source' ? this.#positions : this.#offsets;
    const result = await replica.submit({ type: 'FENCE', unit, epoch });
    if (!result.ok) throw new LogError('LOG_FENCED', result.message);
    return this.progress(parseUnitKey(unit).connector);
  }

  progress(connector: string): ConnectorProgress {
    return {
      positions: positionsOf(this.#positions.state, connector),
      offsets: offsetsOf(this.#offsets.state, connector),
    };
  }
}
