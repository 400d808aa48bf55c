/** Which files the tails of a task read, and how many of them are open at once. */
import { inodeKey, type Identity } from './origin.js';

/** What holds a file open, and can do without for a while. */
export interface Holder {
  /** Closes the file if it can be found again; false where it is needed or could not be. */
  park(): boolean;
  /** Closes a file for good that could not be found again, where nothing is likely to come. */
  letGo(): void;
}

/** With fewer, files that are read by turns would be opened and closed without end. */
const FEWEST = 4;

export class OpenFiles {
  #most: number;
  /** Files being read, open or parked, whatever their names: one with two names, or being renamed, is read once. */
  readonly #read = new Set<string>();
  /** Those that hold a descriptor, the one that used it longest ago first. */
  readonly #holders = new Set<Holder>();

  constructor(most: number) {
    this.#most = Math.max(FEWEST, most);
  }

  isRead(file: Identity): boolean {
    return this.#read.has(inodeKey(file));
  }

  begin(file: Identity): void {
    this.#read.add(inodeKey(file));
  }

  end(file: Identity): void {
    this.#read.delete(inodeKey(file));
  }

  used(holder: Holder): void {
    this.#holders.delete(holder);
    this.#holders.add(holder);
  }

  closed(holder: Holder): void {
    this.#holders.delete(holder);
  }

  /** Closes files until one more may be opened; false when all that are open are needed. */
  makeRoom(): boolean {
    for (const close of [(holder: Holder) => holder.park(), (holder: Holder) => holder.letGo()]) {
      for (const holder of this.#holders) {
        if (this.#holders.size < this.#most) return true;
        close(holder);
      }
    }
    return this.#holders.size < this.#most;
  }

  /** The system allows no more than are open now, or fewer: other tasks need some, too. Returns how many stay open. */
  shrink(): number {
    this.#most = Math.max(FEWEST, Math.floor(Math.min(this.#most, this.#holders.size) / 2));
    this.makeRoom();
    return this.#most;
  }
}
