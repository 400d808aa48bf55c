import { randomUUID } from 'node:crypto';
import { parseUnitKey, type UnitKey } from '../../core/model.js';
import {
  offsetsOf,
  partitionsOf,
  partsOf,
  positionsOf,
  uncoveredOf,
} from '../../core/progress/progress-machine.js';
import { tooManyPartitions } from '../../core/progress/too-many-partitions.js';
import { Replica } from '../../core/replica/replicated-state.js';
import { savedOffsets, savedPositions } from '../../core/connectors/saved-states.js';
import { LogError, type Log } from '../../log/log.js';
import { openPublisher } from '../log/open-grpc.js';
import { openLog } from '../log/open.js';
import { openReplicatedTopic } from '../../log/replicated-topic.js';
import { behavior } from '../kernel/behavior.js';
import type { ActorContext } from '../kernel/protocol.js';
import { reportIssue } from '../replica-issues.js';
import { Altering, type OffsetReplica, type PositionReplica } from './altering.js';
import { FileWriter, type Configs } from './file-writer.js';
import { StateFiles } from './files.js';
import { LeftProgressDrops } from './left-progress-drops.js';
import type { PersistenceParams, PersistencePeers } from './params.js';
import { PositionPages } from './position-pages.js';
import type { PersistenceProtocol, UnitProgress } from './protocol.js';
import { SinkGroups } from './sink-groups.js';
import { offerCopy, readSaved } from './saved-files.js';

/** Progress of sources and sinks as replicated states, and the four files under storePathRootDir. */
export default behavior<PersistenceProtocol, PersistencePeers, PersistenceParams>({
  async start(context) {
    const log = await openLog(context.params.logSettings, context);
    const { positions, offsets } = await openReplicas(context, log);
    const files = new StateFiles(context.params.dir);
    const saved = await readSaved(files, (message) => {
      context.log.warn({ code: 'STATE_FILE_BROKEN' }, message);
    });
    const persistence = new Persistence(log, positions, offsets, context.params.maxPartitions);
    const pages = new PositionPages((connector) => positionsOf(positions.state.inner, connector));
    const writer = new FileWriter(context, files, positions, offsets, () => persistence.configs);
    const following = new AbortController();
    for (const replica of [positions, offsets]) {
      replica.follow(following.signal).catch((error: unknown) => {
        context.crash(error);
      });
    }
    writer.start();
    const sinkGroups = new SinkGroups({
      log,
      connectors: () => persistence.configs?.connectors ?? null,
      ownTopics: context.params.ownTopics,
      offsets: (connector) => offsetsOf(offsets.state.inner, connector),
      onFailure: (error) => {
        context.log.warn(
          { err: error },
          'consumer groups could not be brought in line with the connectors; it is tried again',
        );
      },
      onCostly: (connector) => {
        context.log.warn(
          { connector, code: 'COSTLY_PATTERN' },
          'topics.regex of this stopped sink takes too long to match: retention does not wait for it in topics that come while it is stopped',
        );
      },
      now: () => performance.now(),
    });
    const drops = new LeftProgressDrops(
      [positions, offsets],
      context.params.maxLeft,
      () => persistence.configs?.connectors ?? null,
      context.log,
    );
    return {
      handlers: {
        tell: {
          configs: (configs) => {
            persistence.configs = configs;
            sinkGroups.changed();
          },
        },
        ask: {
          open: ({ unit, epoch, kind }) => persistence.open(unit, epoch, kind),
          partitions: ({ connector }) => persistence.partitions(connector),
          offsets: ({ connector }) => persistence.altering.offsets(connector),
          alter: async ({ connector, upTo, change }) => {
            await persistence.altering.alter(connector, upTo, change);
            return {};
          },
          positions: async ({ connector, match, cursor }) => {
            if (cursor !== null) return pages.next(cursor);
            await persistence.altering.caughtUp();
            return pages.begin(connector, match);
          },
          coldStart: async () => {
            await offerCopy(positions, saved.positions);
            await offerCopy(offsets, saved.offsets);
            if (saved.connectors === null) return null;
            return { origin: saved.connectors.origin, connectors: saved.connectors.items };
          },
        },
      },
      stop: async () => {
        sinkGroups.stop();
        drops.stop();
        await writer.stop();
        following.abort();
      },
    };
  },
});

async function openReplicas(
  context: ActorContext<PersistencePeers, PersistenceParams>,
  log: Log,
): Promise<{ positions: PositionReplica; offsets: OffsetReplica }> {
  const { workerId, positionTopic, offsetTopic, logSettings } = context.params;
  const publisher = await openPublisher(logSettings, context);
  const writer = { node: workerId, incarnation: `persistence#${randomUUID()}` };
  const positions: PositionReplica = new Replica({
    machine: savedPositions,
    port: await openReplicatedTopic(log, positionTopic, publisher),
    writer,
    onIssue: reportIssue(context.log, positionTopic),
  });
  const offsets: OffsetReplica = new Replica({
    machine: savedOffsets,
    port: await openReplicatedTopic(log, offsetTopic, publisher),
    writer,
    onIssue: reportIssue(context.log, offsetTopic),
  });
  await Promise.all([positions.boot(context.signal), offsets.boot(context.signal)]);
  return { positions, offsets };
}

class Persistence {
  /** null: config-sync has not said yet. */
  configs: Configs | null = null;
  readonly #log: Log;
  readonly #positions: PositionReplica;
  readonly #offsets: OffsetReplica;
  readonly #maxPartitions: number;
  readonly altering: Altering;

  constructor(log: Log, positions: PositionReplica, offsets: OffsetReplica, maxPartitions: number) {
    this.#log = log;
    this.#positions = positions;
    this.#offsets = offsets;
    this.#maxPartitions = maxPartitions;
    this.altering = new Altering(log, positions, offsets);
  }

  /** Nothing that an older owner of the unit still writes counts from here on, in the topics and in the store. */
  async open(unit: UnitKey, epoch: number, kind: 'source' | 'sink'): Promise<UnitProgress> {
    const { connector } = parseUnitKey(unit);
    const { partitions, max } = this.partitions(connector);
    if (kind === 'source' && partitions > max) throw tooManyPartitions(connector, partitions, max);
    await this.#log.fence({ key: unit, epoch });
    const replica = kind === 'source' ? this.#positions : this.#offsets;
    const result = await replica.submit({ type: 'FENCE', unit, epoch });
    if (result?.ok === false) throw new LogError('LOG_FENCED', result.message);
    return {
      positions: positionsOf(this.#positions.state.inner, connector),
      offsets: offsetsOf(this.#offsets.state.inner, connector),
      uncovered: uncoveredOf(this.#positions.state.inner, unit),
      parts: partsOf(this.#positions.state.inner, connector),
    };
  }

  partitions(connector: string): { readonly partitions: number; readonly max: number } {
    return { partitions: partitionsOf(this.#positions.state.inner, connector), max: this.#maxPartitions };
  }
}
