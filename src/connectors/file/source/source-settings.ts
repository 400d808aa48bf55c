/** What the file source was told, and whether that can be. */
import { normalize } from 'node:path';
import picomatch from 'picomatch';
import {
  ConfigError,
  ConnectError,
  type ConfigIssue,
  type FileAccess,
  type ParsedConfig,
  type RawConfig,
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
  /** Bad records are left out by the runtime, once it is told where they end. */
  readonly tolerant: boolean;
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

export function readSourceSettings(config: ParsedConfig, raw: RawConfig): SourceSettings {
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
    tolerant: raw['errors.tolerance']?.trim() === 'all',
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
export async function sourceIssues(
  config: ParsedConfig,
  raw: RawConfig,
  files: FileAccess,
): Promise<ConfigIssue[]> {
  try {
    const { paths, globs, topic } = readSourceSettings(config, raw);
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
