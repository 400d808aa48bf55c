import { randomUUID } from 'node:crypto';
import type { ParsedConfig, RawConfig, SinkRecord, SinkTask, SinkTaskContext } from '../../../sdk/index.js';
import { DataError } from '../../../sdk/index.js';
import { Compressor } from './compressor.js';
import type { FileOps } from '../file-ops.js';
import { LineBuffer } from './line-buffer.js';
import { jsonText } from './json-text.js';
import { type OutputFile, type QueueProgress } from './output-file.js';
import { Outputs } from './outputs.js';
import { readSinkSettings, type SinkSettings } from './sink-config.js';
import { TopicLives } from './topic-lives.js';

/** Lines are written when so many bytes are gathered, and at the end of each put. */
const WRITE_BYTES = 1024 * 1024;

interface Running {
  readonly context: SinkTaskContext;
  readonly settings: SinkSettings;
  readonly outputs: Outputs;
  readonly compressor: Compressor;
  readonly timer: NodeJS.Timeout | null;
}

export class FileSinkTask implements SinkTask {
  readonly #ops: FileOps;
  readonly #lines = new LineBuffer();
  #running: Running | null = null;
  /** The start, puts, flushes and the rolling timer take turns. */
  #turn: Promise<unknown> = Promise.resolve();
  /** What the timer met; thrown by the next call. */
  #failure: { readonly error: unknown } | null = null;

  constructor(ops: FileOps) {
    this.#ops = ops;
  }

  async start(context: SinkTaskContext, config: ParsedConfig, raw: RawConfig): Promise<void> {
    const settings = readSinkSettings(config);
    const compressor = new Compressor(this.#ops, context.log);
    const shared = {
      ops: this.#ops,
      paths: settings.output,
      files: context.files,
      log: context.log,
      compressor,
      fsync: settings.fsync,
      gzip: settings.gzip,
      rolls: settings.rotateMs > 0,
      writer: { connector: context.connectorName, task: context.taskId, start: randomUUID() },
      topics: new TopicLives(context),
      now: () => Date.now(),
    };
    const outputs = new Outputs(shared, context.taskId, raw);
    this.#running = { context, settings, outputs, compressor, timer: this.#rollingTimer(settings) };
    // The timer may be early.
    await this.#inTurn(async () => {
      const offsets = await outputs.recover(context.assignment);
      if (offsets.length > 0) context.seek(offsets);
    });
  }

  put(records: readonly SinkRecord[]): Promise<void> {
    return this.#inTurn(async (running) => {
      for (let at = 0; at < records.length;) at = await this.#putRun(running, records, at);
    });
  }

  flush(): Promise<void> {
    return this.#inTurn(({ outputs }) => outputs.commit());
  }

  /** Not while a file is to be finished in time, or is being compressed. */
  async mayPassivate(): Promise<boolean> {
    // The timer may be about to tell the compressor of a file that it has just finished.
    await this.#turn;
    const running = this.#running;
    return running === null || (!running.outputs.hasToRoll && running.compressor.isIdle);
  }

  /** Commits nothing: the runtime has flushed what it wants to keep. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    if (running.timer !== null) clearInterval(running.timer);
    await this.#turn.catch(() => undefined);
    this.#running = null;
    await running.compressor.stop();
    for (const output of running.outputs.all()) await output.close();
  }

  /** Writes the records from `from` on that have one queue and one output, and returns where the next begin. */
  async #putRun(running: Running, records: readonly SinkRecord[], from: number): Promise<number> {
    const first = records[from];
    if (first === undefined) return records.length;
    const { topic, originalTopic, originalQueue } = first;
    const output = await running.outputs.of(topic, originalQueue);
    const progress = output.queue(originalTopic, originalQueue);
    const lines = this.#lines;
    const { json } = running.settings;
    lines.clear();
    let next = progress.next;
    let at = from;
    for (; at < records.length; at += 1) {
      const record = records[at];
      if (record === undefined || record.topic !== topic) break;
      if (record.originalQueue !== originalQueue || record.originalTopic !== originalTopic) break;
      // Written by an earlier try of this put, or before the last commit.
      if (record.originalOffset < next) {
        running.outputs.repeated(progress, record.originalOffset);
        continue;
      }
      const { value } = record;
      if (json) await this.#addJson(running, record);
      else if (typeof value === 'string') lines.add(value);
      else if (value instanceof Uint8Array) lines.addBytes(value);
      else await this.#addJson(running, record);
      next = record.originalOffset + 1;
      if (lines.size >= WRITE_BYTES) await this.#write(running, output, progress, next);
    }
    await this.#write(running, output, progress, next);
    return at;
  }

  async #addJson(running: Running, record: SinkRecord): Promise<void> {
    let text: string;
    try {
      text = jsonText(record.value);
    } catch (cause) {
      await running.context.report(record, new DataError('the value cannot be written as JSON', { cause }));
      return;
    }
    this.#lines.add(text);
  }

  async #write(running: Running, output: OutputFile, progress: QueueProgress, next: number): Promise<void> {
    if (this.#lines.size > 0) await output.append(this.#lines.bytes());
    this.#lines.clear();
    progress.next = next;
    const { rotateBytes } = running.settings;
    if (rotateBytes > 0 && output.length >= rotateBytes) await output.roll();
  }

  #rollingTimer({ rotateMs }: SinkSettings): NodeJS.Timeout | null {
    if (rotateMs === 0) return null;
    let waits = false;
    const tick = async (): Promise<void> => {
      // A put may hang for long.
      if (waits) return;
      waits = true;
      try {
        await this.#inTurn(({ outputs }) => outputs.roll(Date.now() - rotateMs));
      } catch (error) {
        this.#failure ??= { error };
      } finally {
        waits = false;
      }
    };
    return setInterval(() => void tick(), Math.min(1000, Math.max(10, rotateMs / 4))).unref();
  }

  #inTurn(body: (running: Running) => Promise<void>): Promise<void> {
    const result = this.#turn.then(async () => {
      const failure = this.#failure;
      this.#failure = null;
      if (failure !== null) throw failure.error;
      if (this.#running !== null) await body(this.#running);
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
