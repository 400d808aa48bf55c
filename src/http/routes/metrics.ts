/** What this node and its tasks have counted, for Prometheus and its like. */
import type { RouteContext, RouteDeps, Routes } from '../context.js';

/** Prometheus's own format where nothing else is asked for. */
const PROMETHEUS = 'text/plain; version=0.0.4';
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0';

export function metricsRoutes(router: Routes, { runtime }: RouteDeps): void {
  router.get('/metrics', async (ctx: RouteContext) => {
    const type = ctx.accepts(PROMETHEUS, OPENMETRICS) === OPENMETRICS ? OPENMETRICS : PROMETHEUS;
    const format = type === OPENMETRICS ? 'openmetrics' : 'prometheus';
    ctx.body = await runtime.metrics(ctx.state.call, format);
    ctx.set('content-type', `${type}; charset=utf-8`);
  });
}
