import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigEntry, ConfigResult } from '../../core/connectors/config-machine.js';
import type { Replica } from '../../core/replica/replicated-state.js';
import { isNewer, restoreEntries, type RestoreEntry } from '../../core/connectors/cold-start-state.js';
import type { LevelEntry } from '../../core/connectors/level-entries.js';
import type { RestorableConfigs } from '../../core/connectors/saved-states.js';
import type { ActorContext } from '../kernel/protocol.js';
import type { ConfigSyncParams, ConfigSyncPeers } from './params.js';

export type ConfigReplica = Replica<
  RestorableConfigs,
  ConfigEntry | RestoreEntry | LevelEntry,
  ConfigResult | null
>;

const LOOK_MS = 100;

/**
 * The topics of the cluster are empty, new or expired: everything begins from the files of the nodes, the newest copy
 * wins. Until it is over this node neither answers nor writes anything else; the first that does ends it for all.
 */
export async function coldStart(
  { peers, params, log, signal }: ActorContext<ConfigSyncPeers, ConfigSyncParams>,
  replica: ConfigReplica,
): Promise<void> {
  if (!replica.state.open) return;
  const wasUsed = replica.appliedOffset > 0;
  const saved = await peers.persistence.ask('coldStart', {}, { deadlineMs: params.coldStartFilesMs });
  const { origin } = replica.state;
  if (saved !== null && (origin === null || isNewer(saved.origin, origin)))
    for (const entry of restoreEntries(saved.origin, saved.connectors)) await replica.submit(entry);
  if (saved === null && !wasUsed) return;
  log.info({ waitMs: params.coldStartWaitMs }, 'the topics are empty: waiting for nodes with newer files');
  const until = performance.now() + params.coldStartWaitMs;
  while (replica.state.open && performance.now() < until && !signal.aborted)
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  const { inner, origin: used } = replica.state;
  const connectors = [...inner.connectors.keys()];
  if (used !== null)
    log.warn({ code: 'COLD_START', from: used, connectors }, 'began from the files of the nodes');
}
