/**
 * What a large cluster writes to its topics and how long it takes to come to rest, by simulation (docs/scale.md):
 * `npm run bench:scale -- --nodes 3,30,300,1000 --tasks 10000`. One line of JSON a size, each in a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Rates } from '../test/simulation/scale-result.js';
import { ScaleSimulation } from '../test/simulation/scale.js';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '3,30,300,1000' },
    tasks: { type: 'string', default: '10000' },
    'tasks-per-connector': { type: 'string', default: '20' },
    copies: { type: 'string', default: '8' },
    'steady-ms': { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    verbose: { type: 'boolean', default: false },
  },
});

const sizes = values.nodes.split(',').map(number);
if (sizes.length > 1) {
  const [, script = fileURLToPath(import.meta.url), ...rest] = process.argv;
  for (const size of sizes) {
    const { status } = spawnSync(
      process.execPath,
      [...process.execArgv, script, ...rest, '--nodes', String(size)],
      { stdio: 'inherit' },
    );
    if (status !== 0) process.exitCode = 1;
  }
} else {
  await play(sizes[0] ?? 3);
}

async function play(nodes: number): Promise<void> {
  const [tasks, seed] = [number(values.tasks), number(values.seed)];
  const seconds = (): number => {
    const { user, system } = process.cpuUsage();
    return Math.round((user + system) / 1e5) / 10;
  };
  const simulation = new ScaleSimulation({
    seed,
    nodes,
    tasks,
    tasksPerConnector: number(values['tasks-per-connector']),
    copies: number(values.copies),
    steadyMs: number(values['steady-ms']),
    onPhase: (phase) => {
      if (values.verbose) console.error(`${nodes} nodes: ${phase}, ${seconds()} s of CPU`);
    },
  });
  const { steady, afterChange, ...result } = await simulation.run();
  const memoryMb = Math.round(process.resourceUsage().maxRSS / 1024);
  console.log(
    JSON.stringify({
      nodes,
      tasks,
      seed,
      ...result,
      steady: withReads(steady, nodes),
      afterChange: withReads(afterChange, nodes),
      cpuSeconds: seconds(),
      memoryMb,
    }),
  );
  // What was simulated has timers of its own.
  process.exit();
}

/** Every node reads every topic whole. */
function withReads(rates: Rates, nodes: number): object {
  return Object.fromEntries(
    Object.entries(rates).map(([topic, written]) => [
      topic,
      { ...written, messagesRead: written.messages * nodes, bytesRead: written.bytes * nodes },
    ]),
  );
}

function number(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`not a whole number from 1: ${text}`);
  return value;
}
