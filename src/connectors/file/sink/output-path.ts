/** From the `file` setting to paths that stay inside their folder. */
import { basename, dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';
import { ConfigError, type FileAccess } from '../../../sdk/index.js';
import { pathProblem } from '../path-problem.js';

const PLACEHOLDERS = ['topic', 'queue', 'task'] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];
export type PlaceholderValues = Readonly<Record<Placeholder, string | number>>;

export class OutputPath {
  readonly base: string;
  readonly #template: string;

  constructor(given: string, baseDir: string | null) {
    const problem = pathProblem(given);
    if (problem !== null) throw new ConfigError(problem, { field: 'file' });
    const baseProblem = baseDir === null ? null : pathProblem(baseDir);
    if (baseProblem !== null) throw new ConfigError(baseProblem, { field: 'base.dir' });
    // As Kafka Connect's TimestampRouter writes them.
    const file = given.replace(/\$(?=\{(topic|queue|task)\})/g, '');
    for (const [all, name] of file.matchAll(/\$?\{([^{}]*)\}/g)) {
      if (PLACEHOLDERS.some((known) => known === name)) continue;
      throw new ConfigError(`${all} is not a placeholder: {topic}, {queue} and {task} are`, {
        field: 'file',
      });
    }
    if (/[{}]/.test(file.replace(/\{[^{}]*\}/g, ''))) {
      throw new ConfigError('a brace has no partner: {topic}, {queue} and {task} are placeholders', {
        field: 'file',
      });
    }
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

  /** Throws when the node does not allow the path, or symbolic links lead it out of its folder. */
  async check(path: string, files: FileAccess): Promise<void> {
    await files.check(path, 'file');
    const target = await files.realPath(path);
    if (!isInside(await files.realPath(this.base), target)) throw this.#outside(target);
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
