import { DataError } from '../../../sdk/errors.js';
import type { SourceRecord } from '../../../sdk/record.js';
import { isTransaction } from '../../../plugins/plugin-returns.js';
import type { RecordErrors } from '../record-errors.js';
import type { SourceTransactions } from './source-transactions.js';

/** What a poll gave that ended with a record which was skipped: the next poll need not wait. */
export const AFTER_BAD_RECORD: readonly SourceRecord[] = Object.freeze([]);

/** Polls that end with a bad record: passed over where that is tolerated and the source says where to go on. */
export class BadPolls {
  readonly #errors: Pick<RecordErrors, 'tolerates' | 'badRecord'>;
  readonly #transactions: Pick<SourceTransactions, 'skipped'>;
  #lastSkip: string | null = null;

  constructor(
    errors: Pick<RecordErrors, 'tolerates' | 'badRecord'>,
    transactions: Pick<SourceTransactions, 'skipped'>,
  ) {
    this.#errors = errors;
    this.#transactions = transactions;
  }

  /** A poll gave records. */
  passed(): void {
    this.#lastSkip = null;
  }

  /** Throws what is not tolerated, and what would be met again and again. */
  async skip(error: unknown): Promise<readonly SourceRecord[]> {
    if (!this.#errors.tolerates(error)) throw error;
    const { skipTo } = error;
    if (skipTo === null)
      throw cannotSkip(error, 'the connector does not say where to go on after it (skipTo of its DataError)');
    const { transaction = null } = skipTo;
    if (transaction !== null && !isTransaction(transaction))
      throw cannotSkip(error, 'the transaction of its skipTo is not { id, end }');
    const skip = JSON.stringify(skipTo);
    if (skip === this.#lastSkip) throw cannotSkip(error, 'the connector meets it again after it was skipped');
    this.#lastSkip = skip;
    await this.#errors.badRecord(error, skipTo);
    this.#transactions.skipped(skipTo);
    return AFTER_BAD_RECORD;
  }
}

function cannotSkip(error: DataError, why: string): DataError {
  return new DataError(`${error.message}. It cannot be skipped, as errors.tolerance wants it: ${why}`, {
    code: error.code,
    cause: error,
  });
}
