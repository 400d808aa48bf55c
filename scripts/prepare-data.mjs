/** Puts the example's input where `conf/connectors/orders-source.json` reads it, unless something is there already. */
import { constants, copyFileSync, mkdirSync } from 'node:fs';

const example = new URL('../conf/examples/orders.jsonl', import.meta.url);
const input = new URL('../data/in/orders.jsonl', import.meta.url);

mkdirSync(new URL('.', input), { recursive: true });
try {
  copyFileSync(example, input, constants.COPYFILE_EXCL);
} catch (error) {
  if (error.code !== 'EEXIST') throw error;
}
