import {
  RetriableError,
  type ParsedConfig,
  type PluginLogger,
  type RawConfig,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '../../../sdk/index.js';
import { ChunkReader } from './chunk-reader.js';
import { FileSet, parseShare } from './file-set.js';
import { inputError } from '../fs-calls.js';
import { HiddenFolders } from './hidden-folders.js';
import { LEFT_GRACE_MS, LeftPositions } from './left-positions.js';
import { KnownFiles, type TailShared } from './known-files.js';
import { OpenFiles } from './open-files.js';
import { Rest, wholeSecondAfter } from './rest.js';
import { Retirements } from './retirements.js';
import { SourceNotes } from './source-notes.js';
import { SeldomWarnings } from './seldom-warnings.js';
import { LineCutter } from './line-cutter.js';
import { LoopCheck } from './loop-check.js';
import { parsePosition, type DurablePosition } from './origin.js';
import { SHARE_KEY, readSourceSettings, type SourceSettings } from './source-settings.js';
import { Tail } from './tail.js';
import { Wake } from './wake.js';

/** Patterns are expanded anew so often, or each `poll.interval.ms`, and sooner when the system reports new names. */
const SCAN_EVERY_MS = 1000;
const SCAN_AGAIN_MS = 50;
const MAX_SAID = 100;
const MAX_TROUBLES = 1000;
/** With fewer records a poll looks for more before it answers. */
const FEW_RECORDS = 500;
const NO_RECORDS: readonly SourceRecord[] = [];

/** What exists between start and stop. */
interface Running {
  readonly context: SourceTaskContext;
  readonly settings: SourceSettings;
  readonly files: FileSet;
  readonly left: LeftPositions;
  readonly retirements: Retirements;
  readonly shared: TailShared;
  readonly tails: Map<string, Tail>;
  readonly reader: ChunkReader;
  readonly cutter: LineCutter;
  readonly loops: LoopCheck;
  readonly wake: Wake;
}

export class FileSourceTask implements SourceTask {
  #running: Running | null = null;
  #scannedAt = -Infinity;
  /** What kept the last scan from a folder. */
  #trouble: RetriableError | null = null;
  readonly #saidTroubles = new Set<string>();
  /** What kept the last scan, and the one before, from something. */
  #troubles = new Set<string>();
  readonly #hidden = new HiddenFolders();
  #lookedAt = -Infinity;
  readonly #rest = new Rest();
  /** What was met after records that a poll gave: the next poll throws it. */
  #held: { readonly error: unknown } | null = null;

  readonly #leftGraceMs: number;

  constructor(leftGraceMs = LEFT_GRACE_MS) {
    this.#leftGraceMs = leftGraceMs;
  }

  async start(context: SourceTaskContext, config: ParsedConfig, raw: RawConfig): Promise<void> {
    const settings = readSourceSettings(config, raw);
    const notes = new SourceNotes((code, message) => {
      context.note(code, message);
    });
    const cutter = new LineCutter(settings, context.log, notes);
    const tails = new Map<string, Tail>();
    const retirements = new Retirements(context, (path) => tails.get(path)?.hasFile === true);
    const known = new KnownFiles();
    const warnings = new SeldomWarnings(context.log, () => performance.now());
    for (const { position } of context.positions()) {
      const durable = parsePosition(position);
      if (durable !== null) known.notePosition(durable);
    }
    const files = new FileSet(settings, parseShare(raw[SHARE_KEY]));
    const running: Running = {
      context,
      settings,
      files,
      left: new LeftPositions({
        positions: files.changes ? context.positions() : [],
        isMine: (path) => files.isMine(path) && !files.isGiven(path),
        isFollowed: (path) => tails.has(path),
        matched: () => files.matched,
        rotatedFolders: settings.rotatedFolders,
        retire: (path) => {
          retirements.add(path);
        },
        graceMs: this.#leftGraceMs,
        now: () => performance.now(),
      }),
      retirements,
      shared: {
        settings,
        log: context.log,
        files: context.files,
        known,
        notes,
        open: new OpenFiles(settings.maxOpenFiles),
        isFollowed: (path) => tails.has(path),
        beginAt: (partition, position) => {
          context.beginAt(partition, position);
        },
        retire: (path) => {
          retirements.add(path);
        },
        onOmittedLong: (path, position) => {
          cutter.omitLong(path, position);
        },
        say: (key, message, fields) => {
          warnings.say(key, message, fields);
        },
        now: () => performance.now(),
      },
      tails,
      reader: new ChunkReader(settings.chunkBytes, context.log, context.signal, (path, trouble) => {
        if (trouble === null) notes.ends('FILE_NOT_READABLE', path);
        else notes.begins('FILE_NOT_READABLE', path, trouble);
      }),
      cutter,
      loops: new LoopCheck(settings.topic, () => performance.now()),
      wake: new Wake(context.signal),
    };
    this.#running = running;
    await this.#scan(running, true);
    notes.say();
  }

  async poll(): Promise<readonly SourceRecord[]> {
    const running = this.#running;
    if (running === null) return NO_RECORDS;
    running.retirements.say();
    try {
      return await this.#poll(running);
    } finally {
      running.shared.notes.say();
    }
  }

  async #poll(running: Running): Promise<readonly SourceRecord[]> {
    const { context, reader, wake } = running;
    const answerBy = wholeSecondAfter(performance.now());
    while (!context.signal.aborted) {
      const records = await this.#take(running);
      if (records.length > 0) return records;
      const trouble = reader.trouble ?? (running.tails.size === 0 ? this.#trouble : null);
      if (trouble !== null) throw trouble;
      const left = answerBy - performance.now();
      if (left <= 0) break;
      await wake.wait(Math.max(1, Math.min(left, this.#rest.until - performance.now())));
    }
    return NO_RECORDS;
  }

  async stop(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    running.wake.close();
    await running.reader.settle();
    for (const tail of running.tails.values()) tail.close();
  }

  /** What is there now: of one large piece, or of several small ones. */
  async #take(running: Running): Promise<readonly SourceRecord[]> {
    const { cutter, settings, context } = running;
    const records: SourceRecord[] = [];
    const held = this.#held;
    this.#held = null;
    if (held !== null) throw held.error;
    while (!context.signal.aborted) {
      try {
        if (cutter.done && !(await this.#nextChunk(running))) break;
        const taken = cutter.take(settings.maxRecords - records.length);
        if (records.length === 0 && taken.length >= FEW_RECORDS) return taken;
        for (const record of taken) records.push(record);
      } catch (error) {
        if (records.length === 0) throw error;
        this.#held = { error };
        break;
      }
      if (records.length >= Math.min(FEW_RECORDS, settings.maxRecords)) break;
    }
    return records;
  }

  /** Loads the next piece into the cutter, when there is one. */
  async #nextChunk(running: Running): Promise<boolean> {
    const { context, settings, files, left, reader, cutter, loops, wake, tails } = running;
    this.#lookedAt = performance.now();
    if (files.changes && this.#scanIsDue(running)) {
      await this.#scan(running, false);
      await left.look(context.signal);
    }
    if (wake.takeChanged()) this.#rest.end();
    if (this.#rest.isOn(this.#lookedAt)) return false;
    const from = performance.now();
    const chunk = await reader.next();
    if (chunk === null) {
      // What can be put right is tried as often as the runtime asks.
      const least = reader.trouble === null ? settings.pollIntervalMs : 0;
      this.#rest.begin(tails.size, from, performance.now(), least);
      return false;
    }
    this.#rest.end();
    await loops.check(chunk.path);
    cutter.load(chunk);
    return true;
  }

  #scanIsDue({ settings, wake }: Running): boolean {
    const since = this.#lookedAt - this.#scannedAt;
    const every = this.#trouble === null ? Math.max(SCAN_EVERY_MS, settings.pollIntervalMs) : SCAN_EVERY_MS;
    return since >= every || (since >= SCAN_AGAIN_MS && wake.takeNamesChanged());
  }

  async #scan(running: Running, first: boolean): Promise<void> {
    const { files, tails, context, wake, shared, settings } = running;
    this.#scannedAt = performance.now();
    this.#trouble = null;
    const before = this.#troubles;
    this.#troubles = new Set();
    this.#hidden.beginScan(first ? Date.now() : null);
    const found = await files.scan({
      onTrouble: (error, folder) => {
        this.#hidden.note(folder);
        this.#troubled(running, error);
      },
      onOddName: (path) => {
        this.#isTrouble(running, `${path} (its name is not UTF-8)`);
        shared.say(`name ${path}`, 'a name is not UTF-8: what has it is passed over; rename it', { path });
      },
    });
    for (const trouble of before)
      if (!this.#troubles.has(trouble)) shared.notes.ends('FILE_NOT_READABLE', trouble);
    for (const glob of settings.globs)
      if (found === null) shared.notes.begins('FILE_NO_MATCH', glob);
      else shared.notes.ends('FILE_NO_MATCH', glob);
    if (found === null) {
      shared.say('no match', 'no file matches: waiting for one', { files: settings.globs });
    }
    const paths = found ?? [];
    const there = new Set(paths);
    for (const path of tails.keys()) {
      // A file that is read to its end under another name keeps its tail.
      if (!there.has(path) && tails.get(path)?.hasFile === false) tails.delete(path);
    }
    const added = paths
      .filter((path) => !tails.has(path))
      .map((path) => ({ path, durable: durableOf(context, path) }));
    if (added.length > 0) this.#rest.end();
    for (const { path } of added) tails.set(path, new Tail(path, files.isGiven(path), running.shared));
    // Those that know which file they were reading take it before another takes it by its present name.
    for (const item of [
      ...added.filter((a) => a.durable !== null),
      ...added.filter((a) => a.durable === null),
    ]) {
      const tail = tails.get(item.path);
      if (tail !== undefined) await this.#begin(running, tail, item.durable, first);
    }
    running.reader.setTails([...tails.values()]);
    wake.watch(files.folders());
  }

  /** Said once for each cause. */
  #troubled(running: Running, error: Error): void {
    const { context } = running;
    if (!(error instanceof RetriableError)) throw error;
    this.#trouble ??= error;
    this.#isTrouble(running, error.message);
    if (this.#saidTroubles.has(error.message) || this.#saidTroubles.size >= MAX_SAID) return;
    this.#saidTroubles.add(error.message);
    context.log.warn('cannot look into a folder; it will be tried again', { cause: error.message });
  }

  #isTrouble({ shared }: Running, trouble: string): void {
    if (this.#troubles.size >= MAX_TROUBLES) return;
    this.#troubles.add(trouble);
    shared.notes.begins('FILE_NOT_READABLE', trouble);
  }

  async #begin(running: Running, tail: Tail, durable: DurablePosition | null, first: boolean): Promise<void> {
    const { settings, context } = running;
    try {
      const isFound = durable === null && settings.startFromEnd;
      const wasThere = isFound && (first || (await this.#hidden.had(tail.path, context.log)));
      await tail.begin(durable, wasThere);
    } catch (cause) {
      const error = inputError(cause, tail.path);
      if (!(error instanceof RetriableError)) throw error;
      context.log.warn('cannot read a file; it will be tried again', {
        file: tail.path,
        cause: error.message,
      });
    }
  }
}

function durableOf(context: SourceTaskContext, path: string): DurablePosition | null {
  const stored = context.position({ file: path }) ?? context.position({ filename: path });
  const durable = parsePosition(stored);
  if (stored !== null && durable === null) warnUnusable(context.log, path);
  return durable;
}

function warnUnusable(log: PluginLogger, path: string): void {
  log.warn('the stored position is not of a known form: reading the file from its beginning', { file: path });
}
