/** Runs Interop.java, which is RocketMQ's own Java client. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rocketmqJars, type RocketMq } from '../../support/rocketmq.js';

/** `#troupe/` is `dist/`, wherever this file was compiled to. */
const SOURCE = fileURLToPath(
  new URL('../test/integration/rocketmq/Interop.java', import.meta.resolve('#troupe/supervisor.js')),
);
const DEADLINE_MS = 60_000;

/** What it prints, by line. */
export async function runJava(
  rocketmq: RocketMq,
  version: string,
  mode: 'produce' | 'produce-zstd' | 'consume',
  ...args: readonly string[]
): Promise<string[]> {
  const jars = await rocketmqJars(version);
  const options = [`-Duser.home=${rocketmq.dir}`, '-XX:TieredStopAtLevel=1', '-cp', `${jars}/*`, SOURCE];
  const { stdout } = await promisify(execFile)('java', [...options, mode, rocketmq.namesrvAddr, ...args], {
    cwd: rocketmq.dir,
    timeout: DEADLINE_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.split('\n').filter((line) => line !== '');
}
