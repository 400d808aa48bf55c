/**
 * Levels of loggers, which change while the node runs: in memory that all its threads share. The main thread writes; a logger
 * compares one number with what it has seen last, and reads on only where that has changed.
 */

import {
  covers,
  ROOT_LOGGER,
  severityOf,
  type LevelName,
  type LoggerLevel,
} from '../../core/logger-levels.js';

const MAX_SET = 500;
const TABLE_BYTES = 256 * 1024;
const HEADER_WORDS = 2;

/** `at`: as `lastModified`. */
type SetLevel = readonly [logger: string, level: LevelName, at: number | null];

/** Of those that cover one of a logger's names the one that was set last: a level of many loggers is one of each. */
function newestFor(levels: readonly SetLevel[], names: readonly string[]): SetLevel | undefined {
  return levels.findLast(([set]) => names.some((name) => covers(set, name)));
}

/** Of the main thread. */
export class LogLevels {
  readonly memory = new SharedArrayBuffer(HEADER_WORDS * Int32Array.BYTES_PER_ELEMENT + TABLE_BYTES);
  readonly #words = new Int32Array(this.memory, 0, HEADER_WORDS);
  readonly #bytes = new Uint8Array(this.memory, HEADER_WORDS * Int32Array.BYTES_PER_ELEMENT);
  readonly #beginning: LevelName;
  /** The newest last. */
  #levels: readonly SetLevel[] = [];

  constructor(beginning: LevelName) {
    this.#beginning = beginning;
  }

  /**
   * Sets the level of a logger and of those below it, there or to come. Returns those of them that had another one; null:
   * there is no room for another logger.
   * @param known names of each logger that there is, its own first
   */
  set(
    logger: string,
    level: LevelName,
    at: number,
    known: readonly (readonly string[])[],
  ): readonly string[] | null {
    const before = new Map(this.list(known).map((each) => [each.name, each]));
    const levelBefore = (name: string): LoggerLevel =>
      before.get(name) ?? { name, ...this.#effective([name]) };
    const covered = this.#levels.map(([name]) => name).filter((name) => covers(logger, name));
    const changed = new Set([logger, ...covered]);
    const levels: readonly SetLevel[] = [
      ...this.#levels.filter(([name]) => !changed.has(name)),
      ...[...changed].map((name): SetLevel => {
        const { level: old, lastModified } = levelBefore(name);
        return [name, level, old === level ? lastModified : at];
      }),
    ];
    const bytes = Buffer.from(JSON.stringify(levels));
    if ((levels.length > MAX_SET && logger !== ROOT_LOGGER) || bytes.byteLength > TABLE_BYTES) return null;
    const differs = new Set([...changed].filter((name) => levelBefore(name).level !== level));
    this.#publish(levels, bytes);
    for (const { name, level: now } of this.list(known)) {
      const old = before.get(name);
      if (covers(logger, name) && old !== undefined && old.level !== now) differs.add(name);
    }
    return [...differs].sort();
  }

  /** By name: the root, those that are known, and those that were set. */
  list(known: readonly (readonly string[])[]): readonly LoggerLevel[] {
    const chains = new Map<string, readonly string[]>([[ROOT_LOGGER, [ROOT_LOGGER]]]);
    for (const [name] of this.#levels) chains.set(name, [name]);
    for (const names of known) for (const name of names.slice(1)) chains.set(name, [name]);
    for (const names of known) if (names[0] !== undefined) chains.set(names[0], names);
    return [...chains]
      .map(([name, names]) => ({ name, ...this.#effective(names) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #effective(names: readonly string[]): Omit<LoggerLevel, 'name'> {
    const [, level, lastModified] = newestFor(this.#levels, names) ?? ['', this.#beginning, null];
    return { level, lastModified };
  }

  /** A reader that comes in between keeps what it has, and looks again. */
  #publish(levels: readonly SetLevel[], bytes: Uint8Array): void {
    this.#levels = levels;
    Atomics.add(this.#words, 0, 1);
    Atomics.store(this.#words, 1, bytes.byteLength);
    this.#bytes.set(bytes);
    Atomics.add(this.#words, 0, 1);
  }
}

/** Of any thread. */
export class LogLevelReader {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  #levels: readonly SetLevel[] = [];
  #read = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, HEADER_WORDS);
    this.#bytes = new Uint8Array(memory, HEADER_WORDS * Int32Array.BYTES_PER_ELEMENT);
  }

  /** Another number than before: levels have changed. Without a lock: it may be a moment old. */
  get version(): number {
    return this.#words[0] ?? 0;
  }

  /** `severity`: of the least severe line that is written; null: as the node began. `version`: what that was read from. */
  severityFor(names: readonly string[]): { readonly severity: number | null; readonly version: number } {
    this.#refresh();
    const level = newestFor(this.#levels, names)?.[1];
    return { severity: level === undefined ? null : severityOf(level), version: this.#read };
  }

  #refresh(): void {
    const version = Atomics.load(this.#words, 0);
    // Odd: it is being written.
    if (version === this.#read || version % 2 === 1) return;
    const copy = Buffer.from(this.#bytes.slice(0, Atomics.load(this.#words, 1)));
    if (Atomics.load(this.#words, 0) !== version) return;
    // Written by the main thread, of this shape.
    this.#levels = JSON.parse(copy.toString()) as readonly SetLevel[];
    this.#read = version;
  }
}
