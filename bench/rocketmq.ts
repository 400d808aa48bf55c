/**
 * `npm run bench:rocketmq -- [part...]`: rates through a RocketMQ on this machine, and what a cluster does when nodes come
 * and go. One JSON line a part on standard output; progress and a summary on standard error.
 */
import { configChange } from './rocketmq/config-change.js';
import { heartbeats } from './rocketmq/heartbeats.js';
import { machine, watchLoad } from './rocketmq/machine.js';
import { membership, rolling } from './rocketmq/membership.js';
import { parseOptions, USAGE, type Options, type Part } from './rocketmq/options.js';
import { say, type PartResult } from './rocketmq/report.js';
import { shared } from './rocketmq/shared.js';
import { throughput } from './rocketmq/throughput.js';

const options = optionsOrUsage();
if (options !== null) await run(options);

function optionsOrUsage(): Options | null {
  try {
    const found = parseOptions(process.argv.slice(2));
    if (found === null) process.stdout.write(USAGE);
    return found;
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exitCode = 2;
    return null;
  }
}

async function run(wanted: Options): Promise<void> {
  for (const part of wanted.parts) {
    say(`== ${part}`);
    const load = watchLoad();
    const { figures, faults } = await measure(part, wanted);
    const about = { part, at: new Date().toISOString(), machine: machine(), load: load() };
    process.stdout.write(`${JSON.stringify({ ...about, ...figures, faults })}\n`);
    say(`  load: ${JSON.stringify(about.load)}`);
    for (const fault of faults) say(`  WRONG: ${fault}`);
    if (faults.length > 0) process.exitCode = 1;
  }
}

function measure(part: Part, wanted: Options): Promise<PartResult> {
  switch (part) {
    case 'throughput':
      return throughput(wanted);
    case 'shared':
      return shared(wanted);
    case 'failover':
    case 'leave':
    case 'join':
      return membership(part, wanted);
    case 'rolling':
      return rolling(wanted);
    case 'heartbeats':
      return heartbeats(wanted);
    case 'config':
      return configChange(wanted);
  }
}
