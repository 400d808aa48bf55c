import { openLog } from '../log/open.js';
import { behavior } from '../kernel/behavior.js';
import { explainDeleted } from './deleted-topic.js';
import { followConfig, resolvedConfig } from './follow-config.js';
import { followTarget } from './follow-target.js';
import { Gate } from './gate.js';
import type { HotConfig } from './hot-config.js';
import { StateReport, type StartedTask, type TaskParts, type TaskPeers } from './parts.js';
import { discoverPlugins } from '../../plugins/discover.js';
import { PluginSecrets } from '../plugin-secrets.js';
import { PluginCalls } from './plugin-calls.js';
import type { TaskParams, TaskProtocol } from './protocol.js';
import { SecretWatcher } from './secret-watch.js';
import { TaskSignals } from './signals.js';
import { Throttling } from './throttling.js';
import { TaskCounters } from './task-counters.js';
import { startOrWait } from './wait-for-log.js';
import { loadTask, type LoadedSink, type LoadedSource } from './load-task.js';

/** One task in one thread: the plugin, its converters and transforms, and the loop that moves its records. */
export default behavior<TaskProtocol, TaskPeers, TaskParams>({
  async start(given) {
    const { settings } = given.params;
    const provided = new PluginSecrets(
      settings.secretProviders,
      () => discoverPlugins(settings.pluginPaths),
      true,
    );
    const config = await resolvedConfig(given.params, provided, given.params.config);
    const params = { ...given.params, config };
    const context = { ...given, params };
    const { signal } = context;
    const gate = new Gate(context.lease, signal);
    const report = new StateReport(context);
    const calls = new PluginCalls(params.settings.stallTimeoutMs, (stall) => {
      if (stall !== null) context.log.warn({ call: stall.call }, 'the plugin does not return from this call');
      report.stalled('no return', stall);
    });
    const counters = new TaskCounters(context.metrics, (code, message) => {
      context.log.warn({ code }, message);
      report.note(code, message);
    });
    const signals = new TaskSignals({
      unit: params.unit,
      rebalancer: context.peers.rebalancer,
      gate,
      calls,
      log: context.log,
      signal,
      timeoutMs: params.settings.stallTimeoutMs,
    });
    const secrets = new SecretWatcher(context, provided);
    let throttling: Throttling | null = null;
    const changes = followConfig({
      context,
      gate,
      report,
      secrets: provided,
      onTaken: ({ config, settings }, written) => {
        throttling?.set(settings.throttle);
        secrets.watch(written, config);
      },
    });
    void followTarget({
      rebalancer: context.peers.rebalancer,
      unit: params.unit,
      epoch: params.epoch,
      signal,
      onTarget: (target) => {
        gate.setTarget(target);
      },
      config: {
        running: () => ({ generation: params.generation, version: changes.newest }),
        heard: (newer) => {
          changes.heard(newer);
        },
      },
      onSignals: (arrived) => {
        signals.arrived(arrived);
      },
      deadlineMs: 3_600_000,
    });
    const loaded = await loadTask(params);
    const { kind } = loaded;
    changes.loaded({ kind, config: params.config, settings: loaded });
    const log = await openLog(params.settings.logSettings, context);
    const held = new Throttling({
      rates: loaded.throttle,
      waited: counters.throttled,
      note: (code, message) => {
        report.note(code, message);
      },
    });
    throttling = held;
    const parts = { context, log, gate, calls, report, counters, signals, throttling: held, changes };
    const started = await thenClosed(changes, () => startOrWait(parts, () => start(parts, loaded)));
    report.running();
    secrets.begin(given.params.config, params.config);
    started.done.catch((error: unknown) => {
      context.crash(explainDeleted(error));
    });
    return {
      handlers: { tell: {}, ask: {} },
      stop: async () => {
        await started.done;
        await signals.settled();
        held.close();
        calls.close();
        await log.close();
      },
    };
  },
});

/** What it uses is closed when it has ended, however it does. */
async function thenClosed(changes: HotConfig, begin: () => Promise<StartedTask>): Promise<StartedTask> {
  try {
    const { done } = await begin();
    return { done: done.finally(() => changes.close()) };
  } catch (error) {
    await changes.close();
    throw error;
  }
}

/** Loads the loop that it needs and not the others: a node may start many threads at once. */
async function start(parts: TaskParts, loaded: LoadedSource | LoadedSink): Promise<StartedTask> {
  if (loaded.kind === 'source') return (await import('./source/source-task.js')).startSource(parts, loaded);
  if (!loaded.shared) return (await import('./sink/sink-task.js')).startSink(parts, loaded);
  const { context } = parts;
  const [{ startSharedSink }, { openSharedGroup }] = await Promise.all([
    import('./shared-sink/shared-sink-task.js'),
    import('../log/open-grpc.js'),
  ]);
  return startSharedSink(parts, loaded, (group) =>
    openSharedGroup(context.params.settings.logSettings, context, group),
  );
}
