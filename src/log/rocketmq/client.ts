/** Opens the log of a RocketMQ cluster. */
import { readFileSync } from 'node:fs';
import { LogError } from '../log.js';
import type { Log } from '../log.js';
import { RemotingClient } from './remoting/client.js';
import type { RemotingTls } from './remoting/client.js';
import { RocketMqLog } from './rocketmq-log.js';
import type { RocketMqSettings } from './settings.js';

/** Of one call with its retries. An actor that starts must get its answer, and say so, well before its own deadline. */
const DEADLINE_MS = 15_000;
const MAX_IN_FLIGHT_BYTES = 16 * 1024 * 1024;
/** While servers are away each attempt fails alike. */
const SAME_ISSUE_MS = 30_000;
const MAX_ISSUES = 100;

export function openRocketMqLog(settings: RocketMqSettings, onIssue: (message: string) => void): Log {
  return new RocketMqLog({
    client: remotingClient(settings, onIssue),
    maxMessageBytes: settings.maxMessageBytes,
  });
}

export function remotingClient(
  { namesrvAddr, acl, tls, cluster }: RocketMqSettings,
  onIssue: (message: string) => void,
): RemotingClient {
  return new RemotingClient({
    namesrvAddr,
    acl,
    tls: tls === null ? null : remotingTls(tls),
    deadlineMs: DEADLINE_MS,
    maxInFlightBytes: MAX_IN_FLIGHT_BYTES,
    ...(cluster === null ? {} : { cluster }),
    onIssue: withoutRepetition(onIssue),
  });
}

function remotingTls({ caFile, verify }: NonNullable<RocketMqSettings['tls']>): RemotingTls {
  if (caFile === null) return { rejectUnauthorized: verify };
  try {
    return { ca: readFileSync(caFile, 'utf8'), rejectUnauthorized: verify };
  } catch (error) {
    throw new LogError(
      'LOG_BAD_REQUEST',
      `the certificates to trust cannot be read: ${error instanceof Error ? error.message : String(error)}. Correct rocketmq.tls.ca.file`,
      { cause: error },
    );
  }
}

function withoutRepetition(report: (message: string) => void): (message: string) => void {
  const reportedAt = new Map<string, number>();
  return (message) => {
    const now = performance.now();
    if (now - (reportedAt.get(message) ?? -Infinity) < SAME_ISSUE_MS) return;
    reportedAt.delete(message);
    reportedAt.set(message, now);
    const [oldest] = reportedAt.keys();
    if (reportedAt.size > MAX_ISSUES && oldest !== undefined) reportedAt.delete(oldest);
    report(message);
  };
}
