/** Jobs of the planning pool that show records. */
import { buildConverter, DEFAULT_CONVERTERS } from '../../plugins/converter-config.js';
import { buildTransformChain } from '../../plugins/transform-chain.js';
import { parseConfigOrThrow } from '../../sdk/config-parse.js';
import { ConnectError } from '../../sdk/errors.js';
import type { RawConfig } from '../../sdk/plugin.js';
import { hideSecrets } from '../kernel/known-secrets.js';
import type { SinkConversion } from '../sink-record.js';
import { catalog, checkedConfig, connectorOf, files, resolve } from './planning-connector.js';
import { planningLogger } from './planning-lines.js';
import type { PlanningJob } from './planning-pool.js';
import { readPositions } from './planning-positions.js';
import { nodeOptions } from './planning-settings.js';
import { previewSource } from './preview-source.js';
import type { PreviewReply } from './protocol.js';
import { shownRecords } from './shown-records.js';

/** How long a source is polled, and of what is left of the time. */
const PREVIEW_MS = 5000;
const PREVIEW_SHARE = 0.5;
/** As much as a window of a topic holds. */
const PREVIEW_CHARS = 1024 * 1024;

/** Of what nobody's configuration says no reference to a secret is followed. */
export async function records({
  name,
  config: written,
  runs,
  transform,
}: Extract<PlanningJob, { kind: 'records' }>): Promise<readonly string[]> {
  const raw = name === null ? written : checkedConfig(await resolve(name, written));
  const chain = await buildTransformChain(transform ? raw : {}, catalog);
  try {
    return await shownRecords(runs, {
      ...(await convertersOf(raw)),
      chain: chain.size === 0 ? null : chain,
    });
  } finally {
    await chain.close();
  }
}

/** Ends within the time of the job, as does whatever heeds its signal. */
export async function preview(
  { name, config: written, task, withPositions, limit }: Extract<PlanningJob, { kind: 'preview' }>,
  dueAt: number,
  plan: () => Promise<readonly RawConfig[]>,
): Promise<Omit<PreviewReply, 'type'>> {
  const planned = task ?? firstOf(await plan());
  const { raw, entry, connector } = await connectorOf(name, { ...written, ...planned });
  if (connector.kind !== 'source') throw new ConnectError('it is no source', { code: 'PREVIEW_REFUSED' });
  const config = parseConfigOrThrow(connector.config, raw);
  const refusal: unknown = connector.previewRefusal?.(config, raw);
  if (typeof refusal === 'string')
    throw new ConnectError(`the connector refuses a preview: ${hideSecrets(refusal)}`, {
      code: 'PREVIEW_REFUSED',
    });
  const chain = await buildTransformChain(raw, catalog);
  try {
    return await previewSource({
      name,
      className: entry.class,
      connector,
      config,
      raw,
      positions: withPositions ? await readPositions(name, undefined) : [],
      files,
      log: planningLogger(name),
      chain,
      ...(await convertersOf(raw)),
      limit,
      until: Math.min(Date.now() + PREVIEW_MS, Date.now() + (dueAt - Date.now()) * PREVIEW_SHARE),
      maxChars: PREVIEW_CHARS,
    });
  } finally {
    await chain.close();
  }
}

async function convertersOf(raw: RawConfig): Promise<Omit<SinkConversion, 'chain'>> {
  const of = nodeOptions();
  return {
    keyConverter: await buildConverter(raw, 'key', of.keyConverter ?? DEFAULT_CONVERTERS.key, catalog),
    valueConverter: await buildConverter(
      raw,
      'value',
      of.valueConverter ?? DEFAULT_CONVERTERS.value,
      catalog,
    ),
    headerConverter: await buildConverter(
      raw,
      'header',
      of.headerConverter ?? DEFAULT_CONVERTERS.header,
      catalog,
    ),
  };
}

function firstOf([first]: readonly RawConfig[]): RawConfig {
  if (first !== undefined) return first;
  throw new ConnectError('the connector plans no task now, so there is nothing to poll', {
    code: 'PREVIEW_REFUSED',
  });
}
