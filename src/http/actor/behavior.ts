/** The actor that serves REST. It comes up before the others do, and tells who asks meanwhile why it cannot answer. */
import { startServer } from '../server.js';
import { behavior } from '../../actors/kernel/behavior.js';
import { isNodeStopping } from '../../actors/kernel/lease.js';
import type { HttpParams, HttpProtocol } from './protocol.js';
import { actorRuntime, type HttpPeers } from './runtime.js';

const DEFAULT_STOP_GRACE_MS = 3_000;

export default behavior<HttpProtocol, HttpPeers, HttpParams>({
  async start({ params, peers, system, log, lease }) {
    const { workerId, clusterId, version, commit = 'unknown' } = params;
    const isStopping = (): boolean => isNodeStopping(lease);
    const runtime = actorRuntime({ workerId, clusterId, version, commit }, peers, system, isStopping);
    const server = await startServer(runtime, params, log);
    log.info({ url: server.url }, `REST answers at ${server.url}`);
    return {
      handlers: { tell: {}, ask: {} },
      stop: () => server.stop(params.stopGraceMs ?? DEFAULT_STOP_GRACE_MS),
    };
  },
});
