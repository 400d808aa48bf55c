/** How a connector is, in one line: what is wrong, and what to do. Pure. */
import type { ConnectorStatus, TaskStateInfo, UnitStateInfo } from './status.js';

export const HEALTH_STATES = [
  /** All of it runs. */
  'healthy',
  /** It runs, and something about it wants a look. */
  'degraded',
  /** It fails and starts again. */
  'failing',
  /** Nothing of it runs until somebody does something. */
  'failed',
  /** It is on its way. */
  'starting',
  'paused',
  'stopped',
] as const;

export interface ConnectorHealth {
  readonly state: (typeof HEALTH_STATES)[number];
  readonly message: string;
  /** Null: nothing. */
  readonly action: string | null;
}

const MAX_CAUSE = 300;

/** The worst thing comes first. */
export function connectorHealth(status: ConnectorStatus): ConnectorHealth {
  const { name, connector, tasks } = status;
  const path = `/connectors/${encodeURIComponent(name)}`;
  if (connector.state === 'STOPPED')
    return told('stopped', 'it is stopped, as was asked for', `PUT ${path}/resume, to let it run`);
  const restart = `remove the cause, then POST ${path}/restart?includeTasks=true&onlyFailed=true`;
  if (connector.state === 'FAILED')
    return told('failed', `its tasks cannot be planned: ${causeOf(connector)}`, restart);
  const failed = tasks.filter(({ state }) => state === 'FAILED');
  const [first] = failed;
  if (first !== undefined) {
    const message = `${countOf(failed, tasks)} failed; task ${first.id}: ${causeOf(first)}`;
    return told(failed.length === tasks.length ? 'failed' : 'degraded', message, restart);
  }
  return (
    restarting(status) ??
    waiting(status, path) ??
    paused(status, path) ??
    notable(tasks, path) ??
    told('healthy', tasks.length === 1 ? 'its task runs' : `its ${tasks.length} tasks run`, null)
  );
}

function restarting({ connector, tasks }: ConnectorStatus): ConnectorHealth | null {
  const task = tasks.find(({ state }) => state === 'RESTARTING');
  if (task === undefined)
    return connector.state === 'RESTARTING' ? told('starting', 'it is being restarted', null) : null;
  if (task.restart === undefined && task.trace === undefined)
    return told('starting', `task ${task.id} is being restarted`, null);
  const { restart } = task;
  const next =
    restart === undefined
      ? ''
      : `; it is started again at ${new Date(restart.at).toISOString()}, ${restart.left} more starts are left`;
  return told(
    'failing',
    `task ${task.id} failed: ${causeOf(task)}${next}`,
    'remove the cause; it starts again by itself',
  );
}

/** For a node, a plan, or a system. */
function waiting({ connector, tasks }: ConnectorStatus, path: string): ConnectorHealth | null {
  const stalled = tasks.find((task) => task.stalled !== undefined);
  if (stalled?.stalled !== undefined) {
    const { since, call, cause } = stalled.stalled;
    const why = cause === undefined ? 'which does not return' : `which fails: ${short(cause)}`;
    const message = `task ${stalled.id} waits in ${call} since ${new Date(since).toISOString()}, ${why}`;
    return told('degraded', message, 'look at the system that it waits for; it goes on by itself');
  }
  const unassigned = tasks.filter(({ state }) => state === 'UNASSIGNED');
  if (connector.state === 'UNASSIGNED' || unassigned.length > 0) {
    const what = unassigned.length > 0 ? countOf(unassigned, tasks) : 'the connector';
    return told('starting', `no node runs ${what} yet`, `should it last, GET ${path}/status and GET /nodes`);
  }
  if (tasks.length === 0 && connector.state === 'RUNNING')
    return told(
      'starting',
      'it has no tasks, or they are being planned',
      `should it last, GET ${path}/status`,
    );
  return null;
}

function paused({ connector }: ConnectorStatus, path: string): ConnectorHealth | null {
  if (connector.state !== 'PAUSED') return null;
  return told('paused', 'it is paused, as was asked for', `PUT ${path}/resume, to let it go on`);
}

function notable(tasks: readonly TaskStateInfo[], path: string): ConnectorHealth | null {
  for (const { id, config, skipped, notes } of tasks) {
    if (config !== undefined && config.refused !== null)
      return told(
        'degraded',
        `task ${id} cannot take over a changed configuration: ${short(config.reason ?? '')}`,
        `PUT ${path}/config, corrected`,
      );
    if (skipped !== undefined && skipped > 0)
      return told(
        'degraded',
        `task ${id} has skipped ${skipped} bad records since it started`,
        'look at its dead-letter queue (errors.deadletterqueue.topic.name), or at RECORDS_SKIPPED in the log',
      );
    const [note] = notes ?? [];
    if (note !== undefined)
      return told(
        'degraded',
        `task ${id}: ${short(note.message)}`,
        `${note.code}: GET ${path}/status has all`,
      );
  }
  return null;
}

function told(state: ConnectorHealth['state'], message: string, action: string | null): ConnectorHealth {
  return { state, message, action };
}

function countOf(some: readonly unknown[], all: readonly unknown[]): string {
  return all.length === 1 ? 'its task' : `${some.length} of ${all.length} tasks`;
}

function causeOf({ trace }: UnitStateInfo): string {
  return short(trace ?? 'nobody has said why');
}

function short(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length <= MAX_CAUSE ? line : `${line.slice(0, MAX_CAUSE)}…`;
}
