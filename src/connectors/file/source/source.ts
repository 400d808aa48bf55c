/**
 * The file source: follows files as they grow and are rotated, and passes on their lines.
 *
 * Rotation by rename loses nothing, also while the task is down, for as long as the renamed files stand beside the
 * followed one or in `rotated.folders`, uncompressed. How they are named does not matter. Rotation by copy and truncate loses what was not read before the truncation: it is only
 * in the copy. A file that was emptied and filled again is noticed by its first bytes and by those before what is read next.
 */
import type { Plugin, SourceConnector } from '../../../sdk/index.js';
import { checkPositions } from './check-positions.js';
import { shareTexts } from './file-set.js';
import { SOURCE_CONFIG } from './source-config.js';
import { SHARE_KEY, readSourceSettings, sourceIssues } from './source-settings.js';
import { FileSourceTask } from './source-task.js';

const connector: SourceConnector = {
  kind: 'source',
  version: '1.0.0',
  config: SOURCE_CONFIG,
  validate: (config, raw, { files }) => sourceIssues(config, raw, files),
  async taskConfigs(_context, config, raw, maxTasks) {
    const shares = await shareTexts(readSourceSettings(config, raw), maxTasks);
    return shares.map((share) => ({ ...raw, [SHARE_KEY]: share }));
  },
  checkPositions: (context, _config, _raw, changes) => checkPositions(context, changes),
  createTask: () => new FileSourceTask(),
};

const plugin: Plugin = { type: 'source', plugin: connector };
export default plugin;
