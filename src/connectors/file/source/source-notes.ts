/** What is passed over, for the status: of each kind how much, and the last place. */
import type { TaskContext } from '../../../sdk/index.js';

/** What is wrong for as long as it lasts. */
const LASTING = {
  FILE_MISSING: 'waiting for files that do not exist',
  FILE_NO_MATCH: 'patterns that no file matches',
  FILE_NOT_READABLE: 'files or folders that cannot be read, and are tried again',
};

/** What has happened since the task started. */
const PAST = {
  FILE_BAD_LINE: 'lines left out that are not JSON, or hold what cannot be read',
  FILE_LINE_TOO_LONG: 'lines left out that are longer than max.line.bytes',
  FILE_PASSED_OVER: 'times that files, or what was not read of one, were passed over',
  FILE_READ_AGAIN: 'times that a file was read again, since its last line was written over',
};

export type LastingNote = keyof typeof LASTING;
export type PastNote = keyof typeof PAST;

/** Of one kind; more are not counted. */
const MAX_KEYS = 10_000;

export class SourceNotes {
  readonly #note: TaskContext['note'];
  /** By key, what to say of it. */
  readonly #lasting = new Map<LastingNote, Map<string, string>>();
  readonly #past = new Map<PastNote, { count: number; last: string }>();
  readonly #changed = new Set<LastingNote | PastNote>();

  constructor(note: TaskContext['note']) {
    this.#note = note;
  }

  /** `what`: a path, and maybe why. */
  begins(code: LastingNote, key: string, what = key): void {
    const known = this.#lasting.get(code) ?? new Map<string, string>();
    if (known.get(key) === what || (known.size >= MAX_KEYS && !known.has(key))) return;
    this.#lasting.set(code, known.set(key, what));
    this.#changed.add(code);
  }

  ends(code: LastingNote, key: string): void {
    if (this.#lasting.get(code)?.delete(key) === true) this.#changed.add(code);
  }

  happened(code: PastNote, where: string): void {
    const count = (this.#past.get(code)?.count ?? 0) + 1;
    this.#past.set(code, { count, last: where });
    this.#changed.add(code);
  }

  /** Says what has changed: of thousands of lines once. */
  say(): void {
    for (const code of this.#changed) this.#note(code, this.#message(code));
    this.#changed.clear();
  }

  #message(code: LastingNote | PastNote): string | null {
    if (isPast(code)) {
      const { count, last } = this.#past.get(code) ?? { count: 0, last: '' };
      return `${PAST[code]}: ${count}, the last: ${last}`;
    }
    const all = [...(this.#lasting.get(code)?.values() ?? [])];
    const last = all.at(-1);
    return last === undefined ? null : `${LASTING[code]}: ${all.length}, the last: ${last}`;
  }
}

function isPast(code: LastingNote | PastNote): code is PastNote {
  return code in PAST;
}
