import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { REAL_DISK, type Disk } from '#troupe/log/embedded/disk.js';

/** A disk of so many bytes that a store has for itself, but for what stands `beside` it. It needs no right to mount anything. */
export class LimitedDisk implements Disk {
  beside = 0;
  readonly #folder: string;
  readonly #bytes: number;

  constructor(folder: string, bytes: number) {
    this.#folder = folder;
    this.#bytes = bytes;
  }

  /** Below 0: more was written than there is room for. */
  get free(): number {
    const files = readdirSync(this.#folder).filter((name) => /^(data\.mdb|ballast)$/.test(name));
    const used = files.reduce((sum, name) => sum + statSync(join(this.#folder, name)).size, 0);
    return this.#bytes - used - this.beside;
  }

  space(): { readonly free: number; readonly total: number } {
    return { free: Math.max(0, this.free), total: this.#bytes };
  }

  size(path: string): number | null {
    return REAL_DISK.size(path);
  }

  lengthen(path: string, bytes: number, content: 'zeros' | 'noise'): void {
    const fits = Math.max(0, Math.min(bytes, this.free));
    REAL_DISK.lengthen(path, fits, content);
    if (fits < bytes)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
        code: 'ENOSPC',
        errno: -28,
      });
  }

  shorten(path: string, to: number): void {
    REAL_DISK.shorten(path, to);
  }
}
