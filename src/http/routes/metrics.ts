/** What this node and its tasks have counted, for Prometheus and its like. */
import type { RouteDeps } from '../context.js';
import type { Route } from './route.js';

/** Prometheus's own format where nothing else is asked for. */
const PROMETHEUS = 'text/plain; version=0.0.4';
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0';

export function metricsRoutes({ runtime }: RouteDeps): readonly Route[] {
  return [
    {
      method: 'get',
      path: '/metrics',
      summary: 'What this node and its tasks have counted.',
      answers: {
        200: {
          description: 'As the request accepts it.',
          content: {
            'text/plain': { type: 'string' },
            'application/openmetrics-text': { type: 'string' },
          },
        },
      },
      handle: async (ctx) => {
        const type = ctx.accepts(PROMETHEUS, OPENMETRICS) === OPENMETRICS ? OPENMETRICS : PROMETHEUS;
        const format = type === OPENMETRICS ? 'openmetrics' : 'prometheus';
        ctx.body = await runtime.metrics(ctx.state.call, format);
        ctx.set('content-type', `${type}; charset=utf-8`);
      },
    },
  ];
}
