/** The nodes of the cluster: who they are, what they have, and the sharing out of tasks among them. */
import { loadsOf } from '../../core/cluster/rebalance-plan.js';
import { parseUnitKey, type Member } from '../../core/model.js';
import type { RouteContext, RouteDeps } from '../context.js';
import { list, schema } from '../openapi/schemas.js';
import { flag, pathPart } from './parameters.js';
import { empty, flagParameter, json, type Route } from './route.js';

interface NodeInfo {
  readonly id: string;
  /** JOINING: it cannot run anything yet. LEAVING: it stops. OFFLINE: drained, and not a member now. */
  readonly state: 'JOINING' | 'ONLINE' | 'LEAVING' | 'OFFLINE';
  readonly drained: boolean;
  /** Sum of the weights of its tasks. */
  readonly load: number;
  readonly tasks: number;
  /** Whose tasks it plans. */
  readonly connectors: number;
  /** Since the node that answers last heard of it; null when it is not a member. */
  readonly heartbeatAgeMs: number | null;
  /** Milliseconds since 1970, by its own clock. */
  readonly joinedAt: number | null;
  readonly restUrl: string | null;
}

export function nodeRoutes({ runtime }: RouteDeps): readonly Route[] {
  const draining = (path: string, drained: boolean, summary: string): Route => ({
    method: 'put',
    path,
    summary,
    answers: { 202: empty('It is in the log; what follows from it takes its time.') },
    errors: ['NODE_NOT_FOUND'],
    handle: async (ctx) => {
      await runtime.drain(ctx.state.call, pathPart(ctx, 'id'), drained);
      // In this order: Koa makes an empty body a 204.
      ctx.body = null;
      ctx.status = 202;
    },
  });
  return [
    {
      method: 'get',
      path: '/nodes',
      summary: 'The nodes of the cluster, and what they have.',
      answers: { 200: json('By id.', list(schema('Node'))) },
      handle: async (ctx) => {
        ctx.body = await nodes(ctx, { runtime });
      },
    },
    draining('/nodes/{id}/drain', true, 'Move everything away from a node, and give it nothing.'),
    draining('/nodes/{id}/undrain', false, 'Let a node have tasks again.'),
    {
      method: 'post',
      path: '/rebalance',
      summary: 'What is about to move, or why nothing is; the node looks at once what it has to do.',
      query: { dryRun: flagParameter('Only tell it.') },
      answers: {
        200: json('Of a dry run.', schema('Rebalance')),
        202: json('It has begun.', schema('Rebalance')),
      },
      handle: async (ctx) => {
        const dryRun = flag(ctx, 'dryRun', false);
        const { moves, reason } = await runtime.rebalance(ctx.state.call, dryRun);
        ctx.status = dryRun ? 200 : 202;
        ctx.body = {
          dryRun,
          moves: moves.map(({ unit, from, to }) => ({ ...parseUnitKey(unit), from, to })),
          reason,
        };
      },
    },
  ];
}

async function nodes(ctx: RouteContext, { runtime }: Pick<RouteDeps, 'runtime'>): Promise<NodeInfo[]> {
  const { call } = ctx.state;
  const [view, entries] = await Promise.all([runtime.cluster(call), runtime.connectors(call)]);
  const members = new Map(view.members.map((member) => [member.id, member]));
  const claims = new Map(view.claims.map((claim) => [claim.unit, claim]));
  const loads = loadsOf({ members, claims }, new Map(entries.map((entry) => [entry.name, entry])));
  const drained = new Set(view.drained);
  return [...new Set([...members.keys(), ...drained])].sort().map((id) => {
    const member = members.get(id);
    const units = view.claims.filter((claim) => claim.node.id === id).map(({ unit }) => parseUnitKey(unit));
    return {
      id,
      state: stateOf(member),
      drained: drained.has(id),
      load: loads.get(id) ?? 0,
      tasks: units.filter(({ task }) => task !== null).length,
      connectors: units.filter(({ task }) => task === null).length,
      heartbeatAgeMs: member === undefined ? null : Math.round(member.silentMs),
      joinedAt: member?.joinedAt ?? null,
      restUrl: member?.restUrl ?? null,
    };
  });
}

function stateOf(member: Pick<Member, 'joining' | 'leaving'> | undefined): NodeInfo['state'] {
  if (member === undefined) return 'OFFLINE';
  if (member.leaving === true) return 'LEAVING';
  return member.joining === true ? 'JOINING' : 'ONLINE';
}
