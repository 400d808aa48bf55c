import type { ConfigEntry, ConfigResult, ConfigState } from '#troupe/core/connectors/config-machine.js';
import { isTakenOver } from '#troupe/core/connectors/hot-keys.js';
import type { UnitAnswer } from '#troupe/core/connectors/signals.js';
import type { ConnectorEntry, UnitKey } from '#troupe/core/model.js';
import type { Replica } from '#troupe/core/replica/replicated-state.js';
import { ConnectError } from '#troupe/sdk/errors.js';
import { sleep } from './plugins.js';
import type { Random } from './random.js';

/** As config-sync plans: from the config of this moment; the outcome counts for that version alone. */
export async function planTasks(
  random: Random,
  replica: Replica<ConfigState, ConfigEntry, ConfigResult>,
  {
    name,
    epoch,
    restart = false,
  }: { readonly name: string; readonly epoch: number; readonly restart?: boolean },
): Promise<{ entry: ConnectorEntry; replanAfterMs: number | null; warning: null }> {
  const present = replica.state.connectors.get(name);
  if (present === undefined) {
    throw new ConnectError(`Connector ${name} not found`, { code: 'CONNECTOR_NOT_FOUND' });
  }
  await sleep(1 + random.next(150));
  const configs = Array.from({ length: Number(present.config['tasks.max']) }, () => ({
    'planned.from': present.config['request'] ?? '',
  }));
  const asked = present.replans === undefined ? {} : { asked: present.replans.asked };
  const { version: connectorVersion } = present;
  const plan = { name, connectorVersion, configs, epoch, ...asked };
  const takenOver = !restart && isTakenOver(replica.state.connectors.get(name)?.tasks ?? null, plan);
  const entry: ConfigEntry = { type: takenOver ? 'SETTINGS' : 'TASKS', ...plan };
  const result = await replica.submit(entry);
  if (!result.ok) throw new ConnectError(result.message, { code: result.code });
  const replanAfterMs = random.chance(30) ? 1000 + random.next(5000) : null;
  return { entry: result.entry, replanAfterMs, warning: null };
}

type ConfigReplica = Replica<ConfigState, ConfigEntry, ConfigResult>;

/** As config-sync takes the answers of tasks and asks planning sides, which may want to plan again. */
export function signalling(random: Random, node: string, replica: ConfigReplica) {
  const submit = async (entry: ConfigEntry): Promise<Record<string, never>> => {
    const result = await replica.submit(entry);
    if (!result.ok) throw new ConnectError(result.message, { code: result.code });
    return {};
  };
  return {
    replan: ({ name }: { readonly name: string }) => submit({ type: 'REPLAN', name }),
    answerSignal: ({ answer, ...of }: { name: string; id: string; unit: UnitKey; answer: UnitAnswer }) =>
      submit({ type: 'ANSWER', ...of, answer: { ...answer, node } }),
    signalPlanner: async ({ name, id }: { readonly name: string; readonly id: string }) => {
      await sleep(1 + random.next(150));
      const answer = { ok: true, answer: null, node } as const;
      return submit({ type: 'ANSWER', name, id, unit: name, answer, replan: random.chance(30) });
    },
  };
}
