import { LRUCache } from 'lru-cache';
import {
  isConnectorName,
  type ConfigEntry,
  type ConfigResult,
} from '../../core/connectors/config-machine.js';
import type { ConnectorEntry, TargetState } from '../../core/model.js';
import { changedSince, isTakenOver } from '../../core/connectors/hot-keys.js';
import { ConnectError } from '../../sdk/errors.js';
import type { BootConnector } from './boot-connectors.js';
import type { ConfigReplica } from './cold-start.js';
import type { Plan, PlanningPool } from './planning-pool.js';
import type { ConfigInfos, ConfigSyncProtocol } from './protocol.js';

type Config = Readonly<Record<string, string>>;
type Ask = ConfigSyncProtocol['ask'];

/** A patch that lost a race reads the config again this many times. */
const PATCH_TRIES = 10;

interface CheckOptions {
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
  readonly displace?: () => boolean;
}

/** The writes and reads of connector configs. A write resolves when it is durable and applied here. */
export class ConnectorConfigs {
  readonly #replica: ConfigReplica;
  readonly #pool: PlanningPool;
  /** Ends the plan of a connector that is under way: at most one of each, as its owner is one. */
  readonly #plans = new Map<string, (reason: string) => void>();
  /** Answers of validation may be recomputed; user interfaces ask for the same config again and again. */
  readonly #validations = new LRUCache<string, ConfigInfos>({ max: 200, ttl: 10_000 });

  constructor(replica: ConfigReplica, pool: PlanningPool) {
    this.#replica = replica;
    this.#pool = pool;
  }

  list(): readonly ConnectorEntry[] {
    return [...this.#replica.state.inner.connectors.values()];
  }

  get(name: string): ConnectorEntry | null {
    return this.#replica.state.inner.connectors.get(name) ?? null;
  }

  /** Nothing is written when `signal` is aborted before the config is checked. */
  async put(
    { name, config, mode, initialState, expectedVersion }: Ask['put']['request'],
    signal?: AbortSignal,
  ): Promise<Ask['put']['reply']> {
    const named = { ...config, name };
    if (mode === 'create' && this.get(name) !== null) {
      throw new ConnectError(`Connector ${name} already exists`, { code: 'CONNECTOR_EXISTS' });
    }
    await this.#check(named, { ...(signal && { signal }), displace: () => this.#displacePlan(name) });
    const expected = mode === 'create' ? null : expectedVersion;
    const { entry, created } = await this.#submit({
      type: 'CONNECTOR',
      name,
      config: named,
      ...(expected === undefined ? {} : { expectedVersion: expected }),
      ...(initialState === undefined ? {} : { initialState }),
    });
    return { entry, created };
  }

  /** Applies a boot file's connector, unless some node has applied that very file before. */
  async boot({ name, config, hash }: BootConnector): Promise<'created' | 'updated' | 'applied before'> {
    if (this.#replica.state.inner.booted.get(name) === hash) return 'applied before';
    const named = { ...config, name };
    await this.#check(named);
    const result = await this.#write({ type: 'CONNECTOR', name, config: named, boot: hash });
    if (result.ok) return result.created ? 'created' : 'updated';
    if (result.code === 'ALREADY_APPLIED') return 'applied before';
    throw new ConnectError(result.message, { code: result.code });
  }

  async patch(
    name: string,
    changes: Readonly<Record<string, string | null>>,
    signal?: AbortSignal,
  ): Promise<Ask['patch']['reply']> {
    for (let attempt = 1; ; attempt += 1) {
      const present = this.get(name);
      if (present === null)
        throw new ConnectError(`Connector ${name} not found`, { code: 'CONNECTOR_NOT_FOUND' });
      const config: Record<string, string> = { ...present.config };
      for (const [key, value] of Object.entries(changes)) {
        if (value === null) Reflect.deleteProperty(config, key);
        else config[key] = value;
      }
      try {
        const request = { name, config, mode: 'put', expectedVersion: present.version } as const;
        const { entry } = await this.put(request, signal);
        return { entry };
      } catch (error) {
        const lostRace = error instanceof ConnectError && error.code === 'VERSION_CONFLICT';
        if (!lostRace || attempt >= PATCH_TRIES) throw error;
      }
    }
  }

  async delete(name: string): Promise<Record<string, never>> {
    await this.#submit({ type: 'DELETE', name });
    return {};
  }

  async setTarget(name: string, state: TargetState): Promise<{ entry: ConnectorEntry }> {
    const { entry } = await this.#submit({ type: 'TARGET', name, state });
    return { entry };
  }

  async restart({ name, connector, tasks }: Ask['restart']['request']): Promise<{ entry: ConnectorEntry }> {
    const { entry } = await this.#submit({ type: 'RESTART', name, connector, tasks });
    return { entry };
  }

  async plan(
    { name, epoch, restart = false }: Ask['plan']['request'],
    signal: AbortSignal,
  ): Promise<Ask['plan']['reply']> {
    const present = this.get(name);
    if (present === null)
      throw new ConnectError(`Connector ${name} not found`, { code: 'CONNECTOR_NOT_FOUND' });
    const { version: connectorVersion, config, replans } = present;
    const planned = await this.#planned(name, connectorVersion, config, signal);
    const { configs, replanAfterMs, warning, ownHotKeys } = planned;
    const asked = replans === undefined ? {} : { asked: replans.asked };
    const plan = { name, connectorVersion, configs, epoch, ...asked };
    const takenOver = !restart && isTakenOver(this.get(name)?.tasks ?? null, plan, ownHotKeys);
    const { entry } = await this.#submit({ type: takenOver ? 'SETTINGS' : 'TASKS', ...plan });
    return { entry, replanAfterMs, warning };
  }

  /** Given up when the connector is deleted or changed meanwhile: its thread is needed for others. */
  async #planned(name: string, version: number, config: Config, signal: AbortSignal): Promise<Plan> {
    const changed = new AbortController();
    const end = (reason: string): void => {
      changed.abort(new ConnectError(reason, { code: 'TASKS_STALE' }));
    };
    const look = (): void => {
      if (this.get(name)?.version === version) return;
      end(`the configuration of ${name} has changed while its tasks were planned`);
    };
    this.#plans.set(name, end);
    const forget = [this.#replica.onApplied(look), this.#replica.onReplaced(look)];
    try {
      const givenUp = AbortSignal.any([signal, changed.signal]);
      return await this.#pool.run(
        { kind: 'plan', name, config, trial: this.#isTrial(name) },
        { signal: givenUp },
      );
    } finally {
      for (const each of forget) each();
      if (this.#plans.get(name) === end) this.#plans.delete(name);
    }
  }

  /** Whether tasks run with another config that would be stopped for this one. */
  #isTrial(name: string): boolean {
    const present = this.get(name);
    if (present === null || present.tasks === null) return false;
    const { tasks, version } = present;
    return tasks.connectorVersion !== version && changedSince(tasks, version) === null;
  }

  /**
   * A config that is written would wait for the plan of the one that it replaces. When it is refused, the present one is
   * planned again: TASKS_STALE says so.
   */
  #displacePlan(name: string): boolean {
    const end = this.#plans.get(name);
    end?.(`another configuration of ${name} came while its tasks were planned`);
    return end !== undefined;
  }

  async validate(config: Config, options: CheckOptions = {}): Promise<ConfigInfos> {
    const key = JSON.stringify(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)));
    const known = this.#validations.get(key);
    if (known !== undefined) return known;
    const infos = await this.#pool.run({ kind: 'validate', config }, options);
    this.#validations.set(key, infos);
    return infos;
  }

  /** Never an answer of before: the system may be there by now, or gone. */
  dryRun(config: Config, options: CheckOptions = {}): Promise<ConfigInfos> {
    return this.#pool.run({ kind: 'validate', config, dryRun: true }, options);
  }

  forgetValidations(): void {
    this.#validations.clear();
  }

  /** Every field that is wrong, at once, in Kafka Connect's words. */
  async #check(config: Config, options: CheckOptions = {}): Promise<void> {
    const infos = await this.validate(config, options);
    const errors = infos.configs.flatMap(({ value }) => value.errors);
    if (errors.length === 0) return;
    throw new ConnectError(
      `Connector configuration is invalid and contains the following ${errors.length} error(s):\n${errors.join('\n')}\n` +
        'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
      { code: 'CONFIG_INVALID' },
    );
  }

  async #submit(entry: ConfigEntry): Promise<{ entry: ConnectorEntry; created: boolean }> {
    // Such an entry could be read by no node.
    if (entry.type !== 'CONNECTOR' && !isConnectorName(entry.name))
      throw new ConnectError(`Connector ${entry.name} not found`, { code: 'CONNECTOR_NOT_FOUND' });
    const result = await this.#write(entry);
    if (!result.ok) throw new ConnectError(result.message, { code: result.code });
    return result;
  }

  async #write(entry: ConfigEntry): Promise<ConfigResult> {
    const result = await this.#replica.submit(entry);
    if (result === null) throw new Error('only a saved copy has no result');
    return result;
  }
}
