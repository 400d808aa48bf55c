import { randomUUID } from 'node:crypto';
import { EntryEncoder } from '../../core/replica/envelope.js';
import type { NodeRef, UnitKey } from '../../core/model.js';

/** A writer of its own for each start of a task: entries are told from repeated ones by writer and number. */
export function progressEncoder<E>(node: NodeRef, unit: UnitKey): EntryEncoder<E> {
  return new EntryEncoder<E>({ node: node.id, incarnation: `${unit}#${randomUUID()}` });
}
