/** The node itself: who it is, whether it is well, its tree of actors. */
import { treeText } from '../tree-text.js';
import type { RouteDeps } from '../context.js';
import { schema } from '../openapi/schemas.js';
import { isFault, toHttpError } from '../failures.js';
import type { Call, Health } from '../runtime.js';
import { prefersText } from './parameters.js';
import { json, type Route } from './route.js';

/** A probe wants an answer sooner than a write gets one. */
const HEALTH_BUDGET_MS = 10_000;

const HEALTH_STATUS = { healthy: 200, starting: 503, unhealthy: 500 } as const;
const HEALTH_MESSAGE = {
  healthy: 'Worker has completed startup and is ready to handle requests.',
  starting: 'Worker is still starting up.',
  unhealthy: 'Worker was unable to handle this request and may be unable to handle other requests.',
} as const;

export function workerRoutes({ runtime }: RouteDeps): readonly Route[] {
  return [
    {
      method: 'get',
      path: '/',
      summary: 'Which node this is, and of which cluster.',
      answers: { 200: json('The node.', schema('Worker')) },
      handle: (ctx) => {
        const { version, commit, clusterId, workerId } = runtime.worker;
        ctx.body = { version, commit, kafka_cluster_id: clusterId, worker_id: workerId };
      },
    },
    {
      method: 'get',
      path: '/health',
      summary: 'Whether the node is well.',
      answers: {
        200: json('It is.', schema('Health')),
        500: json('It is not.', schema('Health')),
        503: json('It is starting.', schema('Health')),
      },
      handle: async (ctx) => {
        const health = await healthWithin(ctx.state.call, (call) => runtime.health(call));
        ctx.status = HEALTH_STATUS[health.status];
        ctx.body = {
          status: health.status,
          message: `${HEALTH_MESSAGE[health.status]} ${health.detail}`.trim(),
        };
      },
    },
    {
      method: 'get',
      path: '/supervisor/tree',
      summary: 'The supervisors and actors of the node.',
      answers: {
        200: {
          description: 'The tree.',
          content: { 'application/json': schema('Tree'), 'text/plain': { type: 'string' } },
        },
      },
      handle: async (ctx) => {
        ctx.state.call.waitingFor = 'the supervisor';
        const tree = await runtime.tree(ctx.state.call);
        ctx.body = prefersText(ctx) ? `${treeText(tree)}\n` : tree;
      },
    },
  ];
}

/** Whatever keeps the node from answering is its health, not an error of the request. */
async function healthWithin(call: Call, ask: (call: Call) => Promise<Health>): Promise<Health> {
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(HEALTH_BUDGET_MS)]);
  const short: Call = {
    signal,
    gone: call.gone,
    remainingMs: () => Math.min(call.remainingMs(), HEALTH_BUDGET_MS),
    waitingFor: '',
  };
  try {
    return await ask(short);
  } catch (error) {
    const failure = toHttpError(error, short);
    if (isFault(failure) && failure.code === 'INTERNAL') throw failure;
    return { status: 'unhealthy', detail: failure.message };
  }
}
