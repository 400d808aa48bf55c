/** Plugins of the tests: their keys are texts that may be left out, and every task is given the config as it is. */
import type { ConfigKey, Plugin, SinkConnector, SinkTask, SourceTask } from '#troupe/sdk/index.js';

export function textKey(name: string): ConfigKey {
  return { name, type: 'STRING', importance: 'LOW', documentation: name, defaultValue: null };
}

export function sourceOf(
  keys: readonly string[],
  createTask: () => SourceTask,
  more: Partial<Connector> & Pick<Source, 'previewRefusal'> = {},
): Plugin {
  return { type: 'source', plugin: { kind: 'source', ...connectorOf(keys), ...more, createTask } };
}

export function sinkOf(
  keys: readonly string[],
  createTask: () => SinkTask,
  { shareable = false, connect }: Pick<SinkConnector, 'shareable' | 'connect'> = {},
): Plugin {
  return {
    type: 'sink',
    plugin: { kind: 'sink', shareable, ...connectorOf(keys), ...(connect && { connect }), createTask },
  };
}

type Source = Extract<Plugin, { type: 'source' }>['plugin'];
type Connector = Pick<Source, 'version' | 'config' | 'taskConfigs'>;

function connectorOf(keys: readonly string[]): Connector {
  return {
    version: '1.0.0',
    config: keys.map(textKey),
    taskConfigs: (_context, _config, raw, maxTasks) => Array.from({ length: maxTasks }, () => raw),
  };
}
