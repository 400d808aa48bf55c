/** requests.json, played on a node, answers as it did on a real Kafka Connect (recorded.json), but for what allowed.json lists. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isFields } from '#troupe/sdk/index.js';
import { requireService } from '@troupe/test-support/require-service';
import { askJava } from '../../support/java-oracle.js';
import { kafkaAvailable, kafkaJars } from '../../support/kafka-jars.js';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { differences, type Difference } from './differences.js';
import { entitiesOf } from './entities.js';
import { dataPath, INPUT, play, readData, steps, type Answered, type Json } from './player.js';

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

/** What ours says more, by Kafka's class that is to read it; docs/compatibility.md. */
const MORE = ['ErrorMessage.code', 'ErrorMessage.errors', 'ServerInfo.worker_id'];

const dir = temporaryFolder();
/** Of ours; played once for all tests. */
let ours: readonly Answered[] = [];

before(async () => {
  const node = await NodeProcess.create(dir, { workerId: 'worker', 'offset.flush.interval.ms': '300' });
  try {
    await node.start();
    writeFileSync(join(dir, 'in.txt'), INPUT);
    ours = settled(await play({ url: `http://127.0.0.1:${node.port}`, dir, workerId: 'worker' }));
  } finally {
    await node.kill();
  }
});
after(() => {
  removeFolder(dir);
});

/** A task's status says for a moment that it is about to take a changed config over. */
function settled(answers: readonly Answered[]): readonly Answered[] {
  const isPassing = (value: unknown): boolean => isFields(value) && value['refused'] === null;
  return JSON.parse(
    JSON.stringify(answers, (key, value: unknown) =>
      key === 'config' && isPassing(value) ? undefined : value,
    ),
  ) as readonly Answered[];
}

test('requests are answered as by Kafka Connect, field by field, but for listed differences', () => {
  // Files of ours, of these shapes.
  const recorded = readData('recorded.json') as readonly Answered[];
  const allowed = readData('allowed.json') as readonly Allowed[];
  assert.deepEqual(
    recorded.map(({ name }) => name),
    steps().map(({ name }) => name),
    'recorded.json is of other requests: npm run record:kafka-connect',
  );
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

test(
  "Kafka Connect's own classes read every answer, and know each of its fields but for the listed ones",
  { skip: requireService(kafkaAvailable()) },
  async () => {
    const entities = steps().flatMap((step, i) => {
      const answer = ours[i];
      return answer === undefined
        ? []
        : entitiesOf(step, answer).map((entity) => ({ ...entity, step: step.name }));
    });
    assert.ok(entities.length > 150, `only ${entities.length} answers have a class`);
    const questions = entities.map(({ type, body }) =>
      // As the player has them.
      JSON.stringify({ type, body }).replaceAll('"{milliseconds}"', '0'),
    );
    const answers = await askJava(
      fileURLToPath(dataPath('KafkaEntities.java')),
      await kafkaJars(),
      questions,
    );
    const unread = answers.flatMap((answer, i) => {
      const { error } = answer as { error?: string };
      return error === undefined ? [] : [`${entities[i]?.step ?? ''}: ${error}`];
    });
    assert.deepEqual(unread, []);
    const unknown = new Set(answers.flatMap((answer) => (answer as { unknown: string[] }).unknown));
    assert.deepEqual([...unknown].sort(), MORE);
  },
);

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
