/** Kafka Connect's routes on what is installed. */
import { losesDigits } from '../../sdk/index.js';
import { readJsonObject, readObject } from '../body.js';
import { parseConfig } from '../config-body.js';
import type { RouteContext, RouteDeps } from '../context.js';
import { HttpError } from '../errors.js';
import { commonInfos } from '../../plugins/common-infos.js';
import { blamingPlugin, rewording } from '../failures.js';
import { shortened } from '../names.js';
import { list, schema } from '../openapi/schemas.js';
import type { Config } from '../runtime.js';
import { isJsonMap } from '../json.js';
import { restore, holdsHidden } from '../secrets.js';
import { connectorTypes, hiddenInfos, pluginInfo } from '../shapes.js';
import { flag, pathPart, queryValues } from './parameters.js';
import { answerPreview, PREVIEW } from './preview.js';
import { flagParameter, json, type Route } from './route.js';

export function pluginRoutes(deps: RouteDeps): readonly Route[] {
  return [
    {
      method: 'get',
      path: '/connector-plugins',
      summary: 'What is installed.',
      query: { connectorsOnly: flagParameter('false: converters, transforms and predicates, too.') },
      answers: { 200: json('The plugins.', schema('Plugins')) },
      handle: async (ctx) => {
        const connectorsOnly = flag(ctx, 'connectorsOnly', true);
        const { plugins } = await deps.runtime.plugins(ctx.state.call);
        const shown = connectorsOnly
          ? plugins.filter(({ type }) => type === 'source' || type === 'sink')
          : plugins;
        ctx.body = shown
          // Of a node, not of a connector.
          .filter(({ loads, type }) => loads !== false && type !== 'config_provider')
          .map(pluginInfo)
          .flatMap((info) =>
            info.type === 'converter' ? [info, { ...info, type: 'header_converter' }] : [info],
          );
      },
    },
    {
      method: 'get',
      path: '/connector-plugins/{plugin}/config',
      summary: 'The keys of a plugin.',
      query: { version: { description: 'One of several.', schema: { type: 'string' } } },
      answers: { 200: json('Their definitions.', list(schema('Definition'))) },
      errors: ['PLUGIN_NOT_FOUND', 'PLUGIN_AMBIGUOUS', 'PLUGIN_VERSION_NOT_FOUND'],
      handle: (ctx) => definitions(ctx, deps),
    },
    {
      method: 'put',
      path: '/connector-plugins/{plugin}/config/validate',
      summary: 'Check a configuration.',
      query: { dry_run: flagParameter('The connector also connects, as its tasks would.') },
      body: schema('ConfigSent'),
      answers: { 200: json('What is wrong with which key.', schema('Validation')) },
      errors: [
        'PLUGIN_MISMATCH',
        'PLUGIN_NOT_FOUND',
        'PLUGIN_AMBIGUOUS',
        'PLANNING_FAILED',
        'PLANNING_TIMEOUT',
        'PLANNING_OUT_OF_MEMORY',
      ],
      handle: (ctx) => validate(ctx, deps),
    },
    {
      method: 'put',
      path: '/connector-plugins/{plugin}/config/transforms/test',
      summary: 'Run tests of the transforms of a configuration.',
      body: schema('TransformTests'),
      answers: {
        200: json('What came out, and how it differs from what was expected.', schema('TransformTestReport')),
      },
      errors: [
        'CONFIG_INVALID',
        'PLUGIN_MISMATCH',
        'PLANNING_FAILED',
        'PLANNING_TIMEOUT',
        'PLANNING_OUT_OF_MEMORY',
      ],
      handle: (ctx) => testTransforms(ctx, deps),
    },
    {
      method: 'post',
      path: '/connector-plugins/{plugin}/preview',
      summary: 'Records that a connector of this configuration would move, or be given; nothing is written.',
      query: PREVIEW.query,
      body: schema('ConfigSent'),
      answers: PREVIEW.answers,
      errors: ['PLUGIN_MISMATCH', ...PREVIEW.errors],
      handle: async (ctx) => {
        await answerPreview(ctx, deps, { config: await configOf(ctx, deps) });
      },
    },
  ];
}

async function definitions(ctx: RouteContext, deps: RouteDeps): Promise<void> {
  const plugin = pathPart(ctx, 'plugin');
  const version = queryValues(ctx, 'version').at(-1) ?? null;
  const work = blamingPlugin(deps.runtime.pluginConfig(ctx.state.call, plugin, version));
  const keys = await rewording(work, 'PLUGIN_NOT_FOUND', unknownPlugin(plugin));
  const own = keys.map(({ aliases: _, ...shown }) => shown);
  const type = connectorTypes(await deps.runtime.plugins(ctx.state.call))({ 'connector.class': plugin });
  const names = new Set(own.map(({ name }) => name));
  const common = type === 'unknown' ? [] : commonInfos(type).filter(({ name }) => !names.has(name));
  ctx.body = [...own, ...common];
}

async function validate(ctx: RouteContext, deps: RouteDeps): Promise<void> {
  const plugin = pathPart(ctx, 'plugin');
  const real = await configOf(ctx, deps);
  const work = blamingPlugin(deps.runtime.validate(ctx.state.call, real, flag(ctx, 'dry_run', false)));
  ctx.body = hiddenInfos(await rewording(work, 'PLUGIN_NOT_FOUND', unknownPlugin(plugin)));
}

async function testTransforms(ctx: RouteContext, deps: RouteDeps): Promise<void> {
  const { map, text } = await readObject(ctx, deps.maxBodyBytes);
  const { config } = map;
  if (config === undefined || !isJsonMap(config))
    throw new HttpError('BODY_INVALID', 'The body is invalid: config must be an object of strings.', {
      fields: [{ field: 'config', value: null, reason: 'must be an object of strings' }],
    });
  const given = ofPlugin(pathPart(ctx, 'plugin'), parseConfig(config));
  const report = await blamingPlugin(deps.runtime.testTransforms(ctx.state.call, given, text));
  ctx.body = { ...report, tests: report.tests.map((test) => ({ ...test, out: outOf(test.out) })) };
}

/** As JSON; where a number has more digits than JSON.parse keeps, as the text that it is. */
function outOf(text: string): unknown {
  const out: unknown = JSON.parse(text);
  return losesDigits(out) ? text : out;
}

async function configOf(ctx: RouteContext, deps: RouteDeps): Promise<Config> {
  const config = ofPlugin(pathPart(ctx, 'plugin'), parseConfig(await readJsonObject(ctx, deps.maxBodyBytes)));
  return holdsHidden(config) ? withStored(ctx, deps, config) : config;
}

function unknownPlugin(plugin: string): string {
  return `Unknown plugin ${shortened(plugin)}.`;
}

/** A form that was filled from GET config is checked with what is stored. */
async function withStored(ctx: RouteContext, deps: RouteDeps, config: Config): Promise<Config> {
  const name = config['name'] ?? '';
  const stored = name === '' ? null : await deps.runtime.connector(ctx.state.call, name);
  return restore(config, stored?.config);
}

/** The class may be written in full or short, with or without `Connector`, on either side. */
function ofPlugin(plugin: string, config: Config): Config {
  const included = config['connector.class'];
  if (included === undefined) return { ...config, 'connector.class': plugin };
  if (
    !withoutSuffix(included).endsWith(withoutSuffix(plugin)) &&
    !withoutSuffix(plugin).endsWith(withoutSuffix(included))
  ) {
    throw new HttpError(
      'PLUGIN_MISMATCH',
      `Included connector type ${shortened(included)} does not match request type ${shortened(plugin)}`,
      {
        fields: [
          {
            field: 'connector.class',
            value: shortened(included),
            reason: `must be ${shortened(plugin)}, or left out`,
          },
        ],
      },
    );
  }
  return config;
}

function withoutSuffix(plugin: string): string {
  return plugin.length > 'Connector'.length && plugin.endsWith('Connector')
    ? plugin.slice(0, -'Connector'.length)
    : plugin;
}
