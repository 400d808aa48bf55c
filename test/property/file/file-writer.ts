/** A program that writes lines and has its file rotated, and the lines a perfect reader would have. */
import { appendFile, copyFile, rename, stat, truncate, writeFile } from 'node:fs/promises';

export type Step =
  | { readonly do: 'append'; readonly text: string; readonly pieces: number }
  | { readonly do: 'rotate'; readonly create: boolean }
  | { readonly do: 'copytruncate' }
  | { readonly do: 'poll'; readonly accept: number }
  | { readonly do: 'restart'; readonly kill: boolean };

export class RotatedWriter {
  readonly #path: string;
  /** Lines a reader can have now, in order. */
  readonly available: string[] = [];
  /** What follows the last line end in the file written last. */
  #partial = '';
  #renamed = 0;
  /** The file was renamed and nothing was written to the new one. */
  #pendingRotation = false;
  #lines = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Every line begins with a number, so that no two files begin alike; line ends stand as they are in `text`. */
  async append(text: string, pieces: number): Promise<void> {
    const numbered = text.replace(/(?<=^|\n|\r(?!\n))(?=[^])/g, () => `${(this.#lines += 1)}:`);
    if (numbered === '') return;
    this.#afterRotation();
    const bytes = Buffer.from(numbered);
    const size = Math.max(1, Math.ceil(bytes.length / pieces));
    // Cut anywhere, also within characters and line ends.
    for (let at = 0; at < bytes.length; at += size)
      await appendFile(this.#path, bytes.subarray(at, at + size));
    const lines = (this.#partial + numbered).split(/\r\n|\r|\n/);
    this.#partial = lines.pop() ?? '';
    this.available.push(...lines);
  }

  async rotate(create: boolean): Promise<void> {
    if (await this.#isMissing()) return;
    for (let n = this.#renamed; n > 0; n -= 1) await rename(`${this.#path}.${n}`, `${this.#path}.${n + 1}`);
    await rename(this.#path, `${this.#path}.1`);
    this.#renamed += 1;
    this.#pendingRotation = true;
    if (create) await writeFile(this.#path, '');
  }

  /** Only what was read is copied away: what a reader had no time to read is lost with this kind of rotation. */
  async copytruncate(): Promise<void> {
    if (this.#partial !== '' || this.#pendingRotation || (await this.#isMissing())) return;
    await copyFile(this.#path, `${this.#path}.copy`);
    await truncate(this.#path, 0);
  }

  /** The last line of a file that was rotated away is complete once another file is begun. */
  #afterRotation(): void {
    if (!this.#pendingRotation) return;
    this.#pendingRotation = false;
    if (this.#partial !== '') this.available.push(this.#partial);
    this.#partial = '';
  }

  async #isMissing(): Promise<boolean> {
    return stat(this.#path).then(
      () => false,
      () => true,
    );
  }
}
