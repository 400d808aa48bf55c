/** Nodes that die, leave, join and are restarted in turn: distributions of the pauses as the far end sees them. */
import type { Options, Part } from './options.js';
import { distribution, round, say, sayDistribution, type Distribution, type PartResult } from './report.js';
import { IDS, PATIENCE_MS, Trial, type Sample } from './trial.js';

type Membership = Extract<Part, 'failover' | 'leave' | 'join'>;

/** A node dies or leaves, and comes back: one run of `failover` or `leave`, and one of `join`. */
export async function membership(part: Membership, options: Options): Promise<PartResult> {
  const away: Sample[] = [];
  const back: Sample[] = [];
  const { log, records, faults } = await Trial.run(options, async (trial) => {
    for (const run of runs(options)) {
      const id = IDS[run % IDS.length] ?? 'a';
      const gone = part === 'failover' ? await trial.failover(id) : await trial.leave(id);
      away.push(gone);
      const [witness = ''] = trial.others(id);
      // Also where one of two had more than its half.
      await trial.balanced(witness, trial.others(id));
      const returned = await trial.join(id);
      back.push(returned);
      say(`  ${run + 1}: ${told(part === 'join' ? returned : gone)}`);
    }
  });
  // What brought the node away is another part's figure, but it costs nothing to show it.
  const figures =
    part === 'join'
      ? { join: distributions('join', back) }
      : { [part]: distributions(part, away), join: distributions('join', back) };
  return { figures: { log, records, ...figures }, faults };
}

/** Every node is stopped and started in turn, while the flows go on. */
export async function rolling(options: Options): Promise<PartResult> {
  const samples: Sample[] = [];
  const sums: number[] = [];
  const longest: number[] = [];
  const { log, records, faults } = await Trial.run(options, async (trial) => {
    for (const run of runs(options)) {
      trial.farEnd.mark();
      const from = performance.now();
      for (const id of IDS) {
        const code = await trial.cluster.node(id).stop();
        if (code !== 0) throw new Error(`${id} was told to stop and ended with ${String(code)}`);
        await trial.cluster.node(id).start(PATIENCE_MS);
        await trial.balanced(trial.others(id)[0] ?? '');
      }
      const tookMs = performance.now() - from;
      const { pauseMs } = await trial.pause();
      const pauses = trial.farEnd.pauses();
      sums.push(...pauses.map(({ pausedMs }) => pausedMs));
      longest.push(...pauses.map(({ longestMs }) => longestMs));
      const worstSumMs = Math.max(...pauses.map(({ pausedMs }) => pausedMs));
      const sample = { tookMs, pauseMs, worstSumMs };
      samples.push(sample);
      say(`  ${run + 1}: ${told(sample)}`);
    }
  });
  const perFlow = { sumOfPausesMs: distribution(sums), longestPauseMs: distribution(longest) };
  say('rolling restart of all three');
  sayDistribution('of each flow: all its pauses, ms', perFlow.sumOfPausesMs);
  sayDistribution('of each flow: its longest pause, ms', perFlow.longestPauseMs);
  return { figures: { log, records, rolling: distributions('of all flows', samples), perFlow }, faults };
}

function* runs({ runs: wanted, minutes }: Options): Generator<number> {
  const until = performance.now() + minutes * 60_000;
  for (let run = 0; run < wanted; run += 1) {
    if (performance.now() > until) {
      say(`  no more runs: ${minutes} minutes are over`);
      return;
    }
    yield run;
  }
}

function distributions(what: string, samples: readonly Sample[]): Readonly<Record<string, Distribution>> {
  say(what);
  const names = Object.keys(samples[0] ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const found = distribution(samples.map((sample) => sample[name] ?? Number.NaN));
      sayDistribution(name, found);
      return [name, found];
    }),
  );
}

function told(sample: Sample): string {
  return Object.entries(sample)
    .map(([name, value]) => `${name} ${round(value)}`)
    .join(', ');
}
