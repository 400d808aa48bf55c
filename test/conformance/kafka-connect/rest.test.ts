/** requests.json, played on a node, answers as it did on a real Kafka Connect (recorded.json), but for what allowed.json lists. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { differences, type Difference } from './differences.js';
import { INPUT, play, readData, steps, type Answered, type Json } from './player.js';

/** A difference that is on purpose. */
interface Allowed {
  /** Its row in docs/compatibility.md. */
  readonly why: string;
  /** Regular expressions for whole names of steps and whole places. */
  readonly steps: string;
  readonly at: string;
  /** What ours must say there; absent: whatever it says. */
  readonly troupe?: Json;
  /** Kafka Connect has nothing there. */
  readonly more?: true;
}

const DOCUMENT = new URL('../../../../docs/compatibility.md', import.meta.url);

test('requests are answered as by Kafka Connect, field by field, but for listed differences', async (t) => {
  // Files of ours, of these shapes.
  const recorded = readData('recorded.json') as readonly Answered[];
  const allowed = readData('allowed.json') as readonly Allowed[];
  assert.deepEqual(
    recorded.map(({ name }) => name),
    steps().map(({ name }) => name),
    'recorded.json is of other requests: npm run record:kafka-connect',
  );
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir, { workerId: 'worker', 'offset.flush.interval.ms': '300' });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  writeFileSync(join(dir, 'in.txt'), INPUT);
  const target = { url: `http://127.0.0.1:${node.port}`, dir, workerId: 'worker' };
  const ours = await play(target);
  const found = recorded.flatMap((kafka, i) => differences(kafka, ours[i] ?? kafka));
  const used = new Set<Allowed>();
  const unlisted = found.filter((difference) => {
    const listing = allowed.filter((each) => allows(each, difference));
    for (const each of listing) used.add(each);
    return listing.length === 0;
  });
  assert.deepEqual(unlisted.map(told), [], 'differences that allowed.json does not list');
  assert.deepEqual(
    allowed.filter((each) => !used.has(each)),
    [],
    'nothing differs there any more',
  );
});

test('each listed difference is justified in docs/compatibility.md, and each justified one is listed', () => {
  const document = readFileSync(DOCUMENT, 'utf8');
  const rest = /^## REST$(.*?)(?=^## |$(?![\s\S]))/ms.exec(document)?.[1] ?? '';
  const rows = [...rest.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, id]) => id);
  const listed = (readData('allowed.json') as readonly Allowed[]).map(({ why }) => why);
  assert.deepEqual([...new Set(listed)].sort(), rows.sort());
});

function allows({ steps: names, at, troupe, more }: Allowed, difference: Difference): boolean {
  if (!new RegExp(`^(?:${names})$`).test(difference.name)) return false;
  if (!new RegExp(`^(?:${at})$`).test(difference.at)) return false;
  if (more === true && difference.kafka !== undefined) return false;
  return troupe === undefined || JSON.stringify(troupe) === JSON.stringify(difference.troupe);
}

function told({ name, at, kafka, troupe }: Difference): string {
  return `${name} @ ${at}: ${JSON.stringify(kafka) ?? 'nothing'} → ${JSON.stringify(troupe) ?? 'nothing'}`;
}
