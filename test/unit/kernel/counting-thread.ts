/** Writes into one cell for ever, as told by its data; see shared-cell.test.ts. */
import { workerData } from 'node:worker_threads';
import { SharedCell } from '#troupe/actors/kernel/shared-cell.js';

const { memory, values } = workerData as {
  readonly memory: SharedArrayBuffer;
  /** Set in turn; none: 1 is added. */
  readonly values: readonly number[];
};
const cell = new SharedCell(new Int32Array(memory), 0);
for (let turn = 0; ; turn += 1) {
  if (values.length === 0) cell.add(1);
  else cell.set(values[turn % values.length] ?? 0);
}
