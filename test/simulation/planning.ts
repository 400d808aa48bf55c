import type { ConfigEntry, ConfigResult, ConfigState } from '#troupe/core/connectors/config-machine.js';
import type { ConnectorEntry } from '#troupe/core/model.js';
import type { Replica } from '#troupe/core/replica/replicated-state.js';
import { ConnectError } from '#troupe/sdk/errors.js';
import { sleep } from './plugins.js';
import type { Random } from './random.js';

/** As config-sync plans: from the config of this moment; the outcome counts for that version alone. */
export async function planTasks(
  random: Random,
  replica: Replica<ConfigState, ConfigEntry, ConfigResult>,
  { name, epoch }: { readonly name: string; readonly epoch: number },
): Promise<{ entry: ConnectorEntry }> {
  const present = replica.state.connectors.get(name);
  if (present === undefined) {
    throw new ConnectError(`Connector ${name} not found`, { code: 'CONNECTOR_NOT_FOUND' });
  }
  await sleep(1 + random.next(150));
  const configs = Array.from({ length: Number(present.config['tasks.max']) }, () => ({
    'planned.from': present.config['request'] ?? '',
  }));
  const entry: ConfigEntry = { type: 'TASKS', name, connectorVersion: present.version, configs, epoch };
  const result = await replica.submit(entry);
  if (!result.ok) throw new ConnectError(result.message, { code: result.code });
  return result;
}
