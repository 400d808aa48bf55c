import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than clients and servers of HTTP keep an idle connection. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 20;
const ROUNDS = 3;

/** `use` leaves nothing open: sockets, timers, watchers and pipes, and, where the system tells, files. */
export async function leavesNothingOpen(use: () => Promise<void>): Promise<void> {
  const before = open();
  // What is left open each time is no cache that fills once.
  for (let round = 0; round < ROUNDS; round += 1) await use();
  const giveUpAt = performance.now() + PATIENCE_MS;
  let more = grown(before, open());
  while (more.length > 0) {
    const late = performance.now() > giveUpAt;
    assert.ok(!late, `left open after stop: ${more.join(', ')}`);
    await sleep(LOOK_MS);
    more = grown(before, open());
  }
}

function grown(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): string[] {
  return [...after].flatMap(([what, count]) => {
    const more = count - (before.get(what) ?? 0);
    return more > 0 ? [`${more} × ${what}`] : [];
  });
}

function open(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const what of [...process.getActiveResourcesInfo(), ...openFiles()])
    counts.set(what, (counts.get(what) ?? 0) + 1);
  return counts;
}

/** The paths of what is open, on Linux. */
function openFiles(): string[] {
  const folder = '/proc/self/fd';
  try {
    return readdirSync(folder)
      .map((fd) => linkOf(`${folder}/${fd}`))
      .filter((path) => /^\/(?!dev\/|proc\/)/u.test(path));
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
