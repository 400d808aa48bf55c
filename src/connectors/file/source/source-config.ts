/** What the file source can be told. */
import { normalize } from 'node:path';
import picomatch from 'picomatch';
import {
  ConfigError,
  ConnectError,
  type ConfigDefinition,
  type ConfigIssue,
  type FileAccess,
  type ParsedConfig,
} from '../../../sdk/index.js';
import { errnoOf } from '../fs-calls.js';
import { pathProblem } from '../path-problem.js';
import { loopProblem } from './loop-check.js';
import { globBase } from './expand-glob.js';
import { ENCODINGS, type Encoding } from './text-form.js';

export type BadLinePolicy = 'fail' | 'skip' | 'raw';
export type LongLinePolicy = 'fail' | 'truncate' | 'skip';

export interface SourceSettings {
  /** Paths taken as they are. */
  readonly paths: readonly string[];
  /** Patterns to expand. */
  readonly globs: readonly string[];
  readonly exclude: readonly string[];
  readonly topic: string;
  readonly json: boolean;
  readonly onBadLine: BadLinePolicy;
  readonly onLongLine: LongLinePolicy;
  readonly maxLineBytes: number;
  readonly skipEmptyLines: boolean;
  readonly encoding: Encoding;
  /** A return ends a line, also without a newline. */
  readonly returns: boolean;
  readonly maxRecords: number;
  readonly chunkBytes: number;
  readonly pollIntervalMs: number;
  readonly startFromEnd: boolean;
  readonly rotateWaitMs: number;
  /** Relative to the folder of the followed file. */
  readonly rotatedFolders: readonly string[];
  readonly maxOpenFiles: number;
  /** null: a half-written last line waits for its end for ever. */
  readonly flushPartialMs: number | null;
}

/** Which part of the files a task follows; written by the connector into its task configurations. */
export const SHARE_KEY = 'files.share';

export const SOURCE_CONFIG: ConfigDefinition = [
  {
    name: 'file',
    type: 'STRING',
    importance: 'HIGH',
    defaultValue: null,
    aliases: ['filename'],
    group: 'Input',
    documentation: 'Path of one file to follow, taken as it is. It need not exist yet. Give this or `files`.',
  },
  {
    name: 'files',
    type: 'LIST',
    importance: 'HIGH',
    defaultValue: null,
    aliases: ['path', 'paths'],
    group: 'Input',
    documentation:
      'Paths or glob patterns (`logs/**/*.log`) of the files to follow, separated by commas. Files that match later are found while running.',
  },
  {
    name: 'files.exclude',
    type: 'LIST',
    importance: 'LOW',
    defaultValue: null,
    group: 'Input',
    documentation:
      'Glob patterns of file names that `files` patterns do not match. Paths without a pattern are not affected. Compressed files (`*.gz`, `*.zip`, `*.bz2`, `*.xz`, `*.zst`, `*.lz4`) are left out in any case, unless the pattern in `files` ends so.',
  },
  {
    name: 'topic',
    type: 'STRING',
    importance: 'HIGH',
    group: 'Output',
    documentation: 'Topic the lines are written to.',
    validator: (value) => (value === '' ? 'must not be empty' : null),
  },
  {
    name: 'format',
    type: 'STRING',
    importance: 'MEDIUM',
    defaultValue: 'lines',
    allowed: ['lines', 'json'],
    group: 'Output',
    dependents: ['on.bad.line'],
    documentation:
      'lines: each line is a string. json: each line is a JSON value, without a schema; whole numbers keep all their digits, and lines that are empty or blank are skipped.',
  },
  {
    name: 'on.bad.line',
    type: 'STRING',
    importance: 'MEDIUM',
    defaultValue: 'fail',
    allowed: ['fail', 'skip', 'raw'],
    group: 'Output',
    documentation:
      'What to do with a line that is not JSON when `format` is json. fail: the task fails there. skip: the line is left out and counted in the log. raw: it is passed on as a string.',
  },
  {
    name: 'max.line.bytes',
    type: 'INT',
    importance: 'MEDIUM',
    defaultValue: '1048576',
    min: 1,
    max: 268_435_456,
    group: 'Limits',
    documentation:
      'Longest line in bytes, without its line end. Longer ones are handled as `on.long.line` says.',
  },
  {
    name: 'on.long.line',
    type: 'STRING',
    importance: 'MEDIUM',
    defaultValue: 'fail',
    allowed: ['fail', 'truncate', 'skip'],
    group: 'Limits',
    documentation:
      'fail: the task fails there. truncate: the first `max.line.bytes` bytes are passed on. skip: the line is left out and counted in the log.',
  },
  {
    name: 'skip.empty.lines',
    type: 'BOOLEAN',
    importance: 'LOW',
    defaultValue: 'false',
    group: 'Output',
    documentation: 'Leave out lines without any character.',
  },
  {
    name: 'encoding',
    type: 'STRING',
    importance: 'LOW',
    defaultValue: 'utf-8',
    allowed: ENCODINGS,
    group: 'Input',
    documentation:
      'Encoding of the text. Bytes that are not UTF-8 become U+FFFD; positions stay exact. A file that begins with the byte order mark of UTF-16 is read as that also with utf-8.',
  },
  {
    name: 'line.ends',
    type: 'STRING',
    importance: 'LOW',
    defaultValue: 'any',
    allowed: ['any', 'newline'],
    group: 'Input',
    documentation:
      "What ends a line. any: a newline (LF), a return (CR), or both, as with Kafka's FileStreamSource. newline: a newline, with a return before it or without; other returns are part of the line.",
  },
  {
    name: 'batch.size',
    type: 'INT',
    importance: 'LOW',
    defaultValue: '4000',
    min: 1,
    max: 100_000,
    group: 'Limits',
    documentation: 'Most records one poll returns.',
  },
  {
    name: 'read.chunk.bytes',
    type: 'INT',
    importance: 'LOW',
    defaultValue: '524288',
    min: 4096,
    max: 67_108_864,
    group: 'Limits',
    documentation: 'How many bytes are read from a file at once. Two such pieces are held.',
  },
  {
    name: 'poll.interval.ms',
    type: 'INT',
    importance: 'MEDIUM',
    defaultValue: '250',
    min: 1,
    max: 3_600_000,
    group: 'Input',
    documentation:
      'How often files are looked at for new data, in milliseconds. Where the system reports changes they are seen at once.',
  },
  {
    name: 'start.from',
    type: 'STRING',
    importance: 'MEDIUM',
    defaultValue: 'beginning',
    allowed: ['beginning', 'end'],
    group: 'Input',
    documentation:
      'Where to start in a file without a known position that is there when the task starts. Files that appear later are read from their beginning.',
  },
  {
    name: 'rotate.wait.ms',
    type: 'INT',
    importance: 'LOW',
    defaultValue: '1000',
    min: 0,
    max: 3_600_000,
    group: 'Input',
    documentation:
      'When a file was renamed and another has taken its name: how long the old one must have been quiet before the new one is read, in milliseconds. Gives a writer time to change over. A file that was moved out of its folder is closed when it has been quiet for 60 times as long.',
  },
  {
    name: 'rotated.folders',
    type: 'LIST',
    importance: 'LOW',
    defaultValue: null,
    group: 'Input',
    documentation:
      "Folders, besides that of the file, into which rotation moves it (logrotate's `olddir`); relative to that of the file. A file that is moved elsewhere while the task is down is not found again: what was not read of it is passed over, with a warning. Nor is one found that was compressed.",
  },
  {
    name: 'max.open.files',
    type: 'INT',
    importance: 'LOW',
    defaultValue: '256',
    min: 4,
    max: 100_000,
    group: 'Limits',
    documentation:
      'How many files a task holds open. Of more, those that were quiet for longest are closed and opened again when they change; of a file that is deleted meanwhile, what was not read is lost. The limit of the system (`ulimit -n`) must allow for that of all tasks of the node.',
  },
  {
    name: 'flush.partial.ms',
    type: 'INT',
    importance: 'LOW',
    defaultValue: null,
    min: 0,
    max: 86_400_000,
    group: 'Input',
    documentation:
      'Pass on a last line without a line end when it has not grown for this many milliseconds. Not set: wait for its end, or until the file was rotated away.',
  },
];

export function readSourceSettings(config: ParsedConfig): SourceSettings {
  const given = [...new Set(config.list('files').filter((item) => item !== ''))];
  const file = config.stringOrNull('file');
  const literals = given.filter((item) => !isGlob(item));
  if (file !== null && file !== '') literals.unshift(file);
  const paths = [...new Set(literals.map((path) => normalize(path)))];
  const globs = given.filter(isGlob).map((glob) => glob.replace(/^(\.\/)+/, ''));
  if (paths.length + globs.length === 0) {
    throw new ConfigError('no file to read: set "file" to a path, or "files" to paths or patterns', {
      code: 'FILE_NOT_GIVEN',
      field: 'file',
    });
  }
  return {
    paths,
    globs,
    exclude: config.list('files.exclude').filter((item) => item !== ''),
    topic: config.string('topic'),
    json: config.string('format') === 'json',
    onBadLine: oneOf(['fail', 'skip', 'raw'], config.string('on.bad.line')),
    onLongLine: oneOf(['fail', 'truncate', 'skip'], config.string('on.long.line')),
    maxLineBytes: config.int('max.line.bytes'),
    skipEmptyLines: config.boolean('skip.empty.lines') || config.string('format') === 'json',
    encoding: oneOf(ENCODINGS, config.string('encoding')),
    returns: config.string('line.ends') === 'any',
    maxRecords: config.int('batch.size'),
    chunkBytes: config.int('read.chunk.bytes'),
    pollIntervalMs: config.int('poll.interval.ms'),
    startFromEnd: config.string('start.from') === 'end',
    rotateWaitMs: config.int('rotate.wait.ms'),
    rotatedFolders: config.list('rotated.folders').filter((item) => item !== ''),
    maxOpenFiles: config.int('max.open.files'),
    flushPartialMs: config.has('flush.partial.ms') ? config.int('flush.partial.ms') : null,
  };
}

/** Issues beyond single fields: the first of them. */
export async function sourceIssues(config: ParsedConfig, files: FileAccess): Promise<ConfigIssue[]> {
  try {
    const { paths, globs, topic } = readSourceSettings(config);
    const wrong = wrongPath(config);
    if (wrong !== null) return [wrong];
    for (const path of paths) await files.check(path, config.has('file') ? 'file' : 'files');
    for (const path of paths) {
      const reason = await loopProblem(path, topic);
      if (reason !== null) return [{ field: 'topic', value: topic, reason }];
    }
    for (const glob of globs) await files.check(globBase(glob), 'files');
    return [];
  } catch (error) {
    // What the system says of a folder is of this node alone, and may have changed when a task opens it.
    if (errnoOf(error) !== null && !(error instanceof ConnectError)) return [];
    if (!(error instanceof ConfigError)) throw error;
    return [{ field: error.field ?? 'file', value: null, reason: error.message }];
  }
}

function wrongPath(config: ParsedConfig): ConfigIssue | null {
  const given = [
    { field: 'file', value: config.stringOrNull('file') ?? '' },
    ...config.list('files').map((value) => ({ field: 'files', value })),
  ];
  for (const { field, value } of given) {
    const reason = pathProblem(value);
    if (reason !== null) return { field, value, reason };
    if (field === 'file' && value.includes('*'))
      return { field, value, reason: 'this is taken as the name of one file: give a pattern as `files`' };
  }
  return null;
}

function isGlob(path: string): boolean {
  return picomatch.scan(path).isGlob;
}

function oneOf<T extends string>(allowed: readonly T[], value: string): T {
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw new ConfigError(`"${value}" is not one of: ${allowed.join(', ')}`);
  return found;
}
