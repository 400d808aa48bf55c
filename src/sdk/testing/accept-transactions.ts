/** What the acceptance suite asks of sources that mark transactions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceRecord } from '../record.js';
import type { SourceFixture } from './accept-source.js';
import type { SourceHarness } from './source-harness.js';

type Harnessed = (body: (fixture: SourceFixture, harness: SourceHarness) => Promise<void>) => Promise<void>;

const COUNT = 6;
const NO_MARKS = 'the source marks no transactions';

export function acceptTransactions(harnessed: Harnessed): void {
  test('a transaction ends with its last record, and does not come again', async (context) => {
    await harnessed(async (fixture, harness) => {
      const records = [...(await collectTogether(fixture, harness)), ...(await harness.poll())];
      if (!isMarked(fixture, records)) {
        context.skip(NO_MARKS);
        return;
      }
      await harness.accept(records);
      const [open] = harness.openTransactions;
      assert.equal(
        open,
        undefined,
        `transaction ${open} has no end though nothing more comes: its last record must say so (end: true)`,
      );
      checkOrder(records);
    });
  });
  for (const end of ['stopped', 'killed'] as const)
    test(`reads a transaction again from its first record when it was ${end} within it`, async (context) => {
      await harnessed(async (fixture, harness) => {
        const records = await collectTogether(fixture, harness);
        const of = records.findLast(({ transaction }, i) => isWithin(transaction, records[i + 1]));
        if (of === undefined) {
          context.skip(isMarked(fixture, records) ? 'no transaction has several records' : NO_MARKS);
          return;
        }
        const cut = records.indexOf(of) + 1;
        const kept = await harness.accept(records.slice(0, cut));
        if (end === 'stopped') await harness.stop();
        else harness.kill();
        await harness.start();
        const missing = records.slice(kept.length);
        const again = await harness.collect(missing.length);
        assert.deepEqual(
          again.map(({ value }) => value),
          missing.map(({ value }) => value),
          `after a start within transaction ${of.transaction?.id} it does not come from its first record: go on from context.position`,
        );
      });
    });
}

async function collectTogether(fixture: SourceFixture, harness: SourceHarness): Promise<SourceRecord[]> {
  const produce = fixture.produceTogether?.bind(fixture) ?? fixture.produce.bind(fixture);
  const made = [...(await produce(COUNT)), ...(await produce(COUNT))];
  return harness.collect(made.length);
}

/** One whose fixture makes transactions is to mark them. */
function isMarked(fixture: SourceFixture, records: readonly SourceRecord[]): boolean {
  const marked = records.some(({ transaction = null }) => transaction !== null);
  assert.ok(marked || fixture.produceTogether === undefined, 'records of one transaction are not marked');
  return marked;
}

function isWithin(transaction: SourceRecord['transaction'], next: SourceRecord | undefined): boolean {
  return transaction?.end === false && next?.transaction?.id === transaction.id;
}

/** Those of a partition come one after the other. */
function checkOrder(records: readonly SourceRecord[]): void {
  const partitions = new Map<string, { readonly ended: Set<string>; last: string | null }>();
  for (const { sourcePartition, transaction = null } of records) {
    const key = JSON.stringify(sourcePartition);
    const known = partitions.get(key) ?? { ended: new Set<string>(), last: null };
    partitions.set(key, known);
    const id = transaction?.id ?? null;
    if (known.last !== null && known.last !== id) known.ended.add(known.last);
    assert.ok(
      id === null || !known.ended.has(id),
      `transaction ${id} of ${key} comes again after it has ended: those of a partition come one after the other`,
    );
    if (transaction?.end === true) known.ended.add(transaction.id);
    known.last = transaction?.end === true ? null : id;
  }
}
