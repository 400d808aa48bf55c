/** The file sink: appends one line for each record, and knows after any crash which lines it has. */
import type { Plugin, SinkConnector } from '../../../sdk/index.js';
import { nodeFileOps, type FileOps } from '../file-ops.js';
import { TASKS_KEY } from './outputs.js';
import { SINK_CONFIG, readSinkSettings, sinkIssues, usefulSinkTasks } from './sink-config.js';
import { FileSinkTask } from './sink-task.js';

export function fileSink(ops: FileOps): SinkConnector {
  return {
    kind: 'sink',
    version: '1.0.0',
    config: SINK_CONFIG,
    validate: (config, raw, { files }) => sinkIssues(config, raw, files, ops),
    taskConfigs(_context, config, raw, maxTasks) {
      const count = usefulSinkTasks(readSinkSettings(config).output, raw, maxTasks);
      return Array.from({ length: count }, () => ({ ...raw, [TASKS_KEY]: String(count) }));
    },
    createTask: () => new FileSinkTask(ops),
  };
}

const plugin: Plugin = { type: 'sink', plugin: fileSink(nodeFileOps) };
export default plugin;
