/** Jars of Kafka Connect, and of Avro, from Maven Central: copied once into `.kafka/<what>` of the repository. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** That whose classes ours are compared with. */
export const KAFKA_VERSION = '4.3.1';

const FOLDER = fileURLToPath(new URL('../.kafka', import.meta.resolve('#troupe/supervisor.js')));
const JAVA = 17;
const DOWNLOAD_MS = 600_000;

interface Jars {
  /** Of the folder. */
  readonly name: string;
  /** As Maven has them, `group:artifact:version`. */
  readonly artifacts: readonly string[];
}

export const KAFKA_JARS: Jars = {
  name: `connect-${KAFKA_VERSION}`,
  artifacts: ['connect-runtime', 'connect-json', 'connect-transforms'].map(
    (artifact) => `org.apache.kafka:${artifact}:${KAFKA_VERSION}`,
  ),
};

/** A client of Kafka Connect's REST API. */
export const CLIENT_JARS: Jars = {
  name: 'kafka-connect-client-4.0.4',
  artifacts: ['org.sourcelab:kafka-connect-client:4.0.4'],
};

export const AVRO_JARS: Jars = { name: 'avro-1.11.4', artifacts: ['org.apache.avro:avro:1.11.4'] };

/** Why Kafka's classes cannot be run here, or null when they can. Maven is needed only where the jars are not there yet. */
export function kafkaAvailable(jars = KAFKA_JARS): string | null {
  const { stdout, stderr, error } = spawnSync('javac', ['-version'], { encoding: 'utf8' });
  const needed = `Kafka's classes need a JDK, Java ${JAVA} or newer`;
  if (error !== undefined) return `${needed}; there is no javac on the PATH.`;
  const found = /javac (\d+)/.exec(`${stdout}${stderr}`)?.[1];
  if (found === undefined || Number(found) < JAVA)
    return `${needed}; the javac on the PATH is ${found ?? 'of no known version'}.`;
  if (existsSync(jarFolder(jars))) return null;
  const { status } = spawnSync('mvn', ['-version'], { encoding: 'utf8' });
  return status === 0 ? null : "Maven is needed to download Kafka's jars; there is no mvn on the PATH.";
}

function jarFolder({ name }: Jars): string {
  return join(FOLDER, name);
}

/** The folder of the jars; downloads them when they are not there yet. */
export async function kafkaJars(jars = KAFKA_JARS): Promise<string> {
  const folder = jarFolder(jars);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.${process.pid}.partial`; // a copy that was cut short is never taken for a whole one
  await mkdir(join(partial, 'jars'), { recursive: true });
  try {
    const pom = join(partial, 'pom.xml');
    await writeFile(pom, projectText(jars));
    await promisify(execFile)(
      'mvn',
      ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${join(partial, 'jars')}`],
      { timeout: DOWNLOAD_MS, maxBuffer: 16 * 1024 * 1024 },
    );
    await rename(join(partial, 'jars'), folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error; // otherwise another process was first
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
}

/** A project that is thrown away after use: it only names what Maven shall copy. */
function projectText({ artifacts }: Jars): string {
  const dependencies = artifacts.map((coordinates) => {
    const [group, artifact, version] = coordinates.split(':');
    return `<dependency><groupId>${String(group)}</groupId><artifactId>${String(artifact)}</artifactId><version>${String(version)}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>local</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('\n')}</dependencies>
</project>`;
}
