/** What the machine is, and how much of it was busy: figures of a loaded machine say little without. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** Of Linux, to user programs. */
const TICKS_PER_SECOND = 100;

export function machine(): object {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version,
    kernel: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
  };
}

/** Of all threads of a process, in user and kernel mode. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export interface Load {
  /** The average of the last minute, as `uptime` shows it. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  /** On average over the time, by whatever ran. */
  readonly busyCores: number;
  readonly seconds: number;
}

/** Answers what has happened since then. */
export function watchLoad(): () => Load {
  const from = performance.now();
  const busy = busySeconds();
  const loadBefore = loadNow();
  return () => {
    const seconds = (performance.now() - from) / 1000;
    const busyCores = Math.round(((busySeconds() - busy) / seconds) * 100) / 100;
    return { loadBefore, loadAfter: loadNow(), busyCores, seconds: Math.round(seconds) };
  };
}

function loadNow(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}

/** user nice system idle iowait irq softirq steal: all but the fourth and fifth. */
function busySeconds(): number {
  const line = readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '';
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const waiting = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  return (ticks.reduce((sum, each) => sum + each, 0) - waiting) / TICKS_PER_SECOND;
}
