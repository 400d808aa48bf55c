/** What the file source can be told. */
import type { ConfigDefinition } from '../../../sdk/index.js';
import { ENCODINGS } from './text-form.js';

export const SOURCE_CONFIG: ConfigDefinition = [
  {
    name: 'file',
    type: 'STRING',
    importance: 'HIGH',
    defaultValue: null,
    aliases: ['filename'],
    group: 'Input',
    documentation:
      'Path of one file to follow, taken as it is. It need not exist yet. Give this or `files`. Lines are to be added at its end: where one that was read has changed, such as the closing bracket of a JSON array that a writer puts behind each new item, the whole file is read again.',
  },
  {
    name: 'files',
    type: 'LIST',
    importance: 'HIGH',
    defaultValue: null,
    aliases: ['path', 'paths'],
    group: 'Input',
    documentation:
      'Paths or glob patterns (`logs/**/*.log`) of the files to follow, separated by commas. Files that match later are found while running. How far a file was read that a pattern matched is forgotten once it is deleted, also while the connector is down: then some ten minutes after its next start, if its folder is there and another known file of that disk.',
  },
  {
    name: 'files.exclude',
    type: 'LIST',
    importance: 'LOW',
    defaultValue: null,
    group: 'Input',
    documentation:
      'Glob patterns of file names that `files` patterns do not match. Paths without a pattern are not affected. Compressed files (`*.gz`, `*.zip`, `*.bz2`, `*.xz`, `*.zst`, `*.lz4`) are left out in any case, unless the pattern in `files` ends so. Where rotation copies a file and then empties it (`copytruncate` of logrotate), a copy whose name matches is a file of its own, and all of its lines are read again: leave such names out here (`*.log.*`, `*.[0-9]`), or give a pattern in `files` that they do not match (`*.log`).',
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
      'What to do with a line that is not JSON, or holds what cannot be read, when `format` is json. fail: the task fails there, or leaves the line out as `errors.tolerance` says. skip: the line is left out and counted in the log. raw: it is passed on as a string.',
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
      'fail: the task fails there, or leaves the line out as `errors.tolerance` says. truncate: the first `max.line.bytes` bytes are passed on. skip: the line is left out and counted in the log.',
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
      'How often files are looked at for new data, and patterns for new files, in milliseconds. Where the system reports changes they are seen at once. What waits for a time, as with `rotate.wait.ms` and `flush.partial.ms`, is seen at such a look. Patterns are gone through each second, if this is less. Files without news for five seconds are looked at each second, if this is less; with more than 500 files pauses are longer, up to five seconds.',
  },
  {
    name: 'start.from',
    type: 'STRING',
    importance: 'MEDIUM',
    defaultValue: 'beginning',
    allowed: ['beginning', 'end'],
    group: 'Input',
    documentation:
      'Where to start in a file without a known position that is there when the task starts. Files that appear later are read from their beginning. Of a folder that a pattern leads to and that cannot be read when the task starts, files that were made before that are read from their end once it can, with a warning; where the file system does not say when a file was made, from their beginning.',
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
      'When a file was renamed and another has taken its name: how long the old one must have been quiet before the new one is read, in milliseconds. Gives a writer time to change over. A file that was moved out of its folder is closed when it has been quiet for 60 times as long; so is a renamed one, where no more may be open than `max.open.files` says.',
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
