import { parseUnitKey } from '../../core/model.js';
import { openLog } from '../log/open.js';
import { behavior } from '../kernel/behavior.js';
import { rememberSecrets } from '../kernel/known-secrets.js';
import { checkResolved, resolveSecrets } from '../secret-providers.js';
import { thenClosed } from './close-transforms.js';
import { explainDeleted } from './deleted-topic.js';
import { followTarget } from './follow-target.js';
import { Gate } from './gate.js';
import {
  StateReport,
  type StartedTask,
  type TaskActorContext,
  type TaskParts,
  type TaskPeers,
} from './parts.js';
import { PluginCalls } from './plugin-calls.js';
import type { TaskParams, TaskProtocol } from './protocol.js';
import { watchSecrets } from './secret-watch.js';
import { TaskSignals } from './signals.js';
import { Throttling } from './throttling.js';
import { TaskCounters } from './task-counters.js';
import { startOrWait } from './wait-for-log.js';
import { loadTask, type LoadedSink, type LoadedSource } from './load-task.js';

/** One task in one thread: the plugin, its converters and transforms, and the loop that moves its records. */
export default behavior<TaskProtocol, TaskPeers, TaskParams>({
  async start(given) {
    const context = withSecrets(given);
    const { params, signal } = context;
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
    void followTarget({
      rebalancer: context.peers.rebalancer,
      unit: params.unit,
      epoch: params.epoch,
      signal,
      onTarget: (target) => {
        gate.setTarget(target);
      },
      onSignals: (arrived) => {
        signals.arrived(arrived);
      },
      deadlineMs: 3_600_000,
    });
    const { loaded, close } = await loadTask(params);
    const log = await openLog(params.settings.logSettings, context);
    const throttling = new Throttling({
      rates: loaded.throttle,
      waited: counters.throttled,
      note: (code, message) => {
        report.note(code, message);
      },
    });
    const parts = { context, log, gate, calls, report, counters, signals, throttling };
    const started = await thenClosed(context, close, () => startOrWait(parts, () => start(parts, loaded)));
    report.running();
    watchSecrets({ context, written: given.params.config });
    started.done.catch((error: unknown) => {
      context.crash(explainDeleted(error));
    });
    return {
      handlers: { tell: {}, ask: {} },
      stop: async () => {
        await started.done;
        await signals.settled();
        throttling.close();
        calls.close();
        await log.close();
      },
    };
  },
});

/** What references in the config stand for is known in this thread alone, and kept out of what leaves it. */
function withSecrets(context: TaskActorContext): TaskActorContext {
  const { params } = context;
  const resolved = resolveSecrets(
    parseUnitKey(params.unit).connector,
    params.config,
    params.settings.secretProviders,
  );
  rememberSecrets(resolved.secrets.keys());
  checkResolved(resolved);
  return { ...context, params: { ...params, config: resolved.config } };
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
