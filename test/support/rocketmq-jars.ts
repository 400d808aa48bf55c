/** RocketMQ's jars, from Maven Central: copied once for each version into `.rocketmq/<version>` of the repository. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** `#troupe/` is `dist/`, wherever this file was compiled to. */
export const ROCKETMQ_FOLDER = fileURLToPath(
  new URL('../.rocketmq', import.meta.resolve('#troupe/supervisor.js')),
);

/** The versions that the tests run on: the oldest that is supported, and the newest that is complete on Maven Central. */
export const ROCKETMQ_VERSIONS = { oldest: '5.3.3', newest: '5.5.0' } as const;

const JAVA = 17;
const DOWNLOAD_MS = 900_000;

/** Why RocketMQ cannot be run here, or null when it can. Maven is needed only where the jars are not there yet. */
export function rocketmqAvailable(version: string = ROCKETMQ_VERSIONS.oldest): string | null {
  return javaProblem() ?? (existsSync(jarFolder(version)) ? null : mavenProblem());
}

function javaProblem(): string | null {
  const { stdout, stderr, error } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  const needed = `RocketMQ needs Java ${JAVA} or newer`;
  if (error !== undefined) return `${needed}; there is no java on the PATH.`;
  const found = /version "([^"]+)"/.exec(`${stdout}${stderr}`)?.[1];
  if (found === undefined) return `${needed}; \`java -version\` tells no version.`;
  return Number.parseInt(found, 10) >= JAVA ? null : `${needed}; the java on the PATH is ${found}.`;
}

function mavenProblem(): string | null {
  const { status } = spawnSync('mvn', ['-version'], { encoding: 'utf8' });
  return status === 0 ? null : "Maven is needed to download RocketMQ's jars; there is no mvn on the PATH.";
}

function jarFolder(version: string): string {
  return join(ROCKETMQ_FOLDER, version);
}

/** The folder of the jars; downloads them when they are not there yet. */
export async function rocketmqJars(
  version: string,
  onProgress?: (line: string) => void,
  signal?: AbortSignal,
): Promise<string> {
  const folder = jarFolder(version);
  if (existsSync(folder)) return folder;
  onProgress?.(`downloading RocketMQ ${version} from Maven Central (100 MB)`);
  const partial = `${folder}.${process.pid}.partial`; // a copy that was cut short is never taken for a whole one
  await mkdir(join(partial, 'jars'), { recursive: true });
  try {
    const pom = join(partial, 'pom.xml');
    await writeFile(pom, projectText(version));
    await promisify(execFile)(
      'mvn',
      ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${join(partial, 'jars')}`],
      { timeout: DOWNLOAD_MS, maxBuffer: 16 * 1024 * 1024, ...(signal === undefined ? {} : { signal }) },
    );
    await rename(join(partial, 'jars'), folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error; // otherwise another process was first
    });
  } catch (error) {
    throw new Error(`RocketMQ ${version} cannot be downloaded: ${mavenErrors(error)}`, { cause: error });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
}

/** A project that is thrown away after use: it only names what Maven shall copy. */
function projectText(version: string): string {
  const dependency = (name: string): string =>
    `<dependency><groupId>org.apache.rocketmq</groupId><artifactId>rocketmq-${name}</artifactId><version>${version}</version></dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>local</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${['namesrv', 'broker', 'proxy', 'tools'].map(dependency).join('\n')}</dependencies>
</project>`;
}

/** Maven writes its errors to the standard output; the first one tells. */
function mavenErrors(error: unknown): string {
  const output =
    error instanceof Error && 'stdout' in error && typeof error.stdout === 'string' ? error.stdout : '';
  return /^.*\[ERROR\] (.*)$/m.exec(output)?.[1] ?? String(error);
}
