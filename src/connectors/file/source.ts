/** The file source: follows files as they grow and are rotated, and passes on their lines. */
import type { Plugin, SourceConnector } from '../../sdk/index.js';
import { shareText, usefulTasks } from './file-set.js';
import { SHARE_KEY, SOURCE_CONFIG, readSourceSettings, sourceIssues } from './source-config.js';
import { FileSourceTask } from './source-task.js';

const connector: SourceConnector = {
  kind: 'source',
  version: '1.0.0',
  config: SOURCE_CONFIG,
  validate: (config) => sourceIssues(config),
  taskConfigs(_context, config, raw, maxTasks) {
    const count = usefulTasks(readSourceSettings(config), maxTasks);
    return Array.from({ length: count }, (_, index) => ({
      ...raw,
      [SHARE_KEY]: shareText({ index, count }),
    }));
  },
  createTask: () => new FileSourceTask(),
};

const plugin: Plugin = { type: 'source', plugin: connector };
export default plugin;
