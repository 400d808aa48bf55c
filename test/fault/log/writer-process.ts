/**
 * A process that writes until it is killed. Each append carries a batch for `data` and its number for `position`;
 * what is acknowledged is said on stdout. Arguments: folder, writer's name, records in a batch, appends (0: for ever).
 */
import { EmbeddedStore } from '#troupe/log/embedded/store.js';

import { batchOf } from '../../conformance/log-batches.js';

const [dir = '', writer = '', size = '1', appends = '0'] = process.argv.slice(2);
const store = await EmbeddedStore.open({ dir });
const last = appends === '0' ? Infinity : Number(appends);
let next = 0;

async function run(): Promise<void> {
  while (next < last) {
    const number = next++;
    const values = Array.from({ length: Number(size) }, (_, i) => `${writer}:${number}:${i}`);
    const [base] = await store.append({
      entries: [
        { topic: 'data', queue: 0, batch: batchOf(values) },
        { topic: 'position', queue: 0, batch: batchOf([`${writer}:${number}`]) },
      ],
    });
    process.stdout.write(`${number} ${base}\n`);
  }
}

// Two at a time, so that some group commits carry more than one append. A finite run keeps one writer's order.
await (last === Infinity ? Promise.all([run(), run()]) : run());
await store.close();
