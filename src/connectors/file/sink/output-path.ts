/** From the `file` setting to paths that stay inside their folder. */
import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';
import { ConfigError } from '../../../sdk/index.js';
import { errnoOf } from '../fs-calls.js';

const PLACEHOLDERS = ['topic', 'queue', 'task'] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];
export type PlaceholderValues = Readonly<Record<Placeholder, string | number>>;

export class OutputPath {
  readonly base: string;
  readonly #template: string;

  constructor(file: string, baseDir: string | null) {
    for (const [all, name] of file.matchAll(/\{([^{}]*)\}/g)) {
      if (PLACEHOLDERS.some((known) => known === name)) continue;
      throw new ConfigError(`${all} is not a placeholder: {topic}, {queue} and {task} are`, {
        field: 'file',
      });
    }
    if (file.includes('\0')) throw new ConfigError('a path has no NUL character', { field: 'file' });
    if (/[/\\]$/.test(file) || ['.', '..'].includes(basename(file))) {
      throw new ConfigError(`"${file}" names a folder: add a file name, like ${join(file, 'out.txt')}`, {
        field: 'file',
      });
    }
    this.base = resolve(baseDir ?? (isAbsolute(file) ? fixedFolder(file) : '.'));
    this.#template = resolve(this.base, file);
    if (!isInside(this.base, this.#template)) throw this.#outside(this.#template);
  }

  uses(placeholder: Placeholder): boolean {
    return this.#template.includes(`{${placeholder}}`);
  }

  /** Absolute. Different values give different paths, and none adds a folder or hides the file. */
  render(values: PlaceholderValues): string {
    return this.#template.replace(/\{(topic|queue|task)\}/g, (_, name: Placeholder) =>
      escape(String(values[name])),
    );
  }

  /** Throws when symbolic links lead the path out of its folder. What does not exist yet cannot. */
  async check(path: string): Promise<void> {
    const base = await realOf(this.base);
    const target = await realOf(path);
    if (!isInside(base, target)) throw this.#outside(target);
  }

  #outside(path: string): ConfigError {
    return new ConfigError(
      `the file ${path} is outside of ${this.base}: set base.dir to a folder that contains it`,
      {
        code: 'FILE_OUTSIDE_BASE',
        field: 'file',
      },
    );
  }
}

/** The name an output gets when it is finished: `out.log` becomes `out.000001.log`. */
export function pieceName(path: string, piece: number): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}.${String(piece).padStart(6, '0')}${ext}`);
}

/** The folder of an absolute path up to its first placeholder. */
function fixedFolder(file: string): string {
  const cut = file.indexOf('{');
  return dirname(cut < 0 ? file : `${file.slice(0, cut)}x`);
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Every character that means something to a file system is written as %XX; so are the names `.` and `..`. */
function escape(value: string): string {
  if (/^\.*$/.test(value)) return value.replaceAll('.', '%2E') || '%';
  return value.replace(/[^A-Za-z0-9._-]/gu, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}

/** Where a path leads, as far as it exists. */
async function realOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  if (await isLink(path)) {
    throw new ConfigError(`${path} is a symbolic link to nothing: remove it, or create what it names`, {
      code: 'FILE_DANGLING_LINK',
      field: 'file',
    });
  }
  const parent = dirname(path);
  return parent === path ? path : join(await realOf(parent), basename(path));
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    return false;
  }
}
