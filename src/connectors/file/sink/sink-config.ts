/** What the file sink can be told. */
import {
  ConfigError,
  type ConfigDefinition,
  type ConfigIssue,
  type FileAccess,
  type ParsedConfig,
  type RawConfig,
} from '../../../sdk/index.js';
import { errnoOf } from '../fs-calls.js';
import type { FileOps } from '../file-ops.js';
import { mayRename } from './outputs.js';
import { notAFile, outputError } from './output-errors.js';
import { OutputPath } from './output-path.js';
import { checkOwner, readProgress } from './progress-file.js';

export interface SinkSettings {
  readonly output: OutputPath;
  readonly json: boolean;
  /** 0: never. */
  readonly rotateBytes: number;
  /** 0: never. */
  readonly rotateMs: number;
  readonly gzip: boolean;
  readonly fsync: boolean;
}

export const SINK_CONFIG: ConfigDefinition = [
  {
    name: 'file',
    type: 'STRING',
    importance: 'HIGH',
    aliases: ['filename'],
    group: 'Output',
    documentation:
      'Path of the file to append to. {topic}, {queue} and {task}, also written ${topic}, are replaced, with %XX for what a file name cannot have; without them one task writes everything. The file belongs to this connector: another one is refused it, and what others append to it is cut off. Beside it the sink keeps a hidden `.….progress.json`.',
    validator: (value) => (value === '' ? 'must not be empty' : null),
  },
  {
    name: 'base.dir',
    type: 'STRING',
    importance: 'MEDIUM',
    defaultValue: null,
    group: 'Output',
    documentation:
      'Folder that files must stay in, whatever `file`, placeholders or symbolic links say. Default: the working folder, or for an absolute `file` the folder it names.',
  },
  {
    name: 'format',
    type: 'STRING',
    importance: 'MEDIUM',
    defaultValue: 'lines',
    allowed: ['lines', 'json'],
    group: 'Output',
    documentation:
      'lines: strings and bytes as they are, other values as JSON. json: every value as JSON. One line each. JSON as the JSON converter writes it: integers and decimals keep their digits, and fields without a schema whose names are whole numbers come first.',
  },
  {
    name: 'rotate.bytes',
    type: 'LONG',
    max: Number.MAX_SAFE_INTEGER,
    importance: 'MEDIUM',
    defaultValue: '0',
    min: 0,
    group: 'Rolling',
    documentation:
      'Finish a file when it has reached this many bytes, and rename it: out.log becomes out.000001.log. It may grow beyond by the records of one put. 0: never.',
  },
  {
    name: 'rotate.ms',
    type: 'LONG',
    max: Number.MAX_SAFE_INTEGER,
    importance: 'MEDIUM',
    defaultValue: '0',
    min: 0,
    group: 'Rolling',
    documentation:
      'Finish a file this many milliseconds after its first record. 0: never. Where transforms name the topics in {topic}, a file that an earlier start of the task began is finished once something comes for it.',
  },
  {
    name: 'compress',
    type: 'STRING',
    importance: 'LOW',
    defaultValue: 'none',
    allowed: ['none', 'gzip'],
    group: 'Rolling',
    documentation: 'What to do with finished files. gzip: out.000001.log becomes out.000001.log.gz.',
  },
  {
    name: 'fsync',
    type: 'BOOLEAN',
    importance: 'LOW',
    defaultValue: 'true',
    aliases: ['flush'],
    group: 'Output',
    documentation:
      'Wait at each flush until the disk has the data. Without it only a crash of the process loses nothing.',
  },
];

export function readSinkSettings(config: ParsedConfig): SinkSettings {
  return {
    output: new OutputPath(config.string('file'), config.stringOrNull('base.dir')),
    json: config.string('format') === 'json',
    rotateBytes: config.int('rotate.bytes'),
    rotateMs: config.int('rotate.ms'),
    gzip: config.string('compress') === 'gzip',
    fsync: config.boolean('fsync'),
  };
}

/** Issues beyond single fields. */
export async function sinkIssues(
  config: ParsedConfig,
  raw: RawConfig,
  files: FileAccess,
  ops: FileOps,
): Promise<ConfigIssue[]> {
  let path = config.string('file');
  try {
    const { output } = readSinkSettings(config);
    if (config.string('compress') !== 'none' && config.int('rotate.bytes') + config.int('rotate.ms') === 0) {
      throw new ConfigError('only finished files are compressed: set rotate.bytes or rotate.ms, too', {
        field: 'compress',
      });
    }
    // Topics that a pattern finds are not known here: their files are looked at when they are opened.
    const [topic = 'topic'] = topicsOf(raw);
    path = output.render({ topic, queue: 0, task: 0 });
    await output.check(path, files);
    if ((await ops.facts(path))?.isFile === false) throw notAFile(path);
    const progress = raw['name'] === undefined ? null : await readProgress(ops, path);
    if (progress !== null) checkOwner(progress, raw['name'] ?? '', path);
    return [];
  } catch (cause) {
    const error = outputError(cause, path);
    // Of this node alone, and it may be otherwise when a task opens the file, which then says so.
    if (errnoOf(error) !== null && !(error instanceof ConfigError)) return [];
    if (!(error instanceof ConfigError)) throw error;
    return [
      {
        field: error.field ?? 'file',
        value: config.stringOrNull(error.field ?? 'file'),
        reason: error.message,
      },
    ];
  }
}

/**
 * Two tasks never write the same file: without placeholders that tell their queues apart there is one task. The names of
 * topics do not, where transforms may make one of two.
 */
export function usefulSinkTasks(output: OutputPath, raw: RawConfig, maxTasks: number): number {
  const oneTopic = topicsOf(raw).length === 1 && raw['topics.regex'] === undefined;
  const apart =
    output.uses('task') || (output.uses('queue') && (oneTopic || (output.uses('topic') && !mayRename(raw))));
  return apart ? maxTasks : 1;
}

function topicsOf(raw: RawConfig): readonly string[] {
  const topics = (raw['topics'] ?? '').split(',').map((topic) => topic.trim());
  return topics.filter((topic) => topic !== '');
}
