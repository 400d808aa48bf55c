/** The offsets of a sink, in a table beside its rows. */
import { type Connection, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise';
import type { QueueRef } from '@troupe/sdk';

/** What stands in the table. `topicId` names the life of the topic that the offset is of. */
export interface StoredOffset {
  readonly offset: number;
  readonly topicId: string | null;
}

export interface Move extends QueueRef {
  /** null: nothing is there yet. */
  readonly from: StoredOffset | null;
  readonly to: StoredOffset;
}

export class OffsetsTable {
  readonly #table: string;
  readonly #connector: string;

  constructor(table: string, connector: string) {
    this.#table = table;
    this.#connector = connector;
  }

  async create(connection: Connection): Promise<void> {
    await connection.query(
      `CREATE TABLE IF NOT EXISTS ?? (
        connector VARCHAR(200) NOT NULL, topic VARCHAR(249) NOT NULL, queue INT NOT NULL,
        topic_id VARCHAR(200) NULL, next_offset BIGINT NOT NULL, PRIMARY KEY (connector, topic, queue)
      ) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
      [this.#table],
    );
  }

  async read(connection: Connection, { topic, queue }: QueueRef): Promise<StoredOffset | null> {
    const [[row]] = await connection.query<RowDataPacket[]>(
      'SELECT next_offset, topic_id FROM ?? WHERE connector = ? AND topic = ? AND queue = ?',
      [this.#table, this.#connector, topic, queue],
    );
    if (row === undefined) return null;
    const id: unknown = row['topic_id'];
    return { offset: Number(row['next_offset']), topicId: typeof id === 'string' ? id : null };
  }

  /**
   * Within the transaction of the rows. False: others stand there than those that were read. Then either this move was committed
   * before, and the answer was lost, or another task has the queue.
   */
  async move(connection: Connection, moves: readonly Move[]): Promise<boolean> {
    for (const { topic, queue, from, to } of moves) {
      const at = [this.#connector, topic, queue];
      const [{ affectedRows }] =
        from === null
          ? await connection.query<ResultSetHeader>(
              'INSERT IGNORE INTO ?? (connector, topic, queue, topic_id, next_offset) VALUES (?, ?, ?, ?, ?)',
              [this.#table, ...at, to.topicId, to.offset],
            )
          : await connection.query<ResultSetHeader>(
              `UPDATE ?? SET topic_id = ?, next_offset = ? WHERE connector = ? AND topic = ? AND queue = ?
               AND topic_id <=> ? AND next_offset = ?`,
              [this.#table, to.topicId, to.offset, ...at, from.topicId, from.offset],
            );
      if (affectedRows !== 1) return false;
    }
    return true;
  }

  async areAt(connection: Connection, moves: readonly Move[]): Promise<boolean> {
    for (const move of moves) {
      const stored = await this.read(connection, move);
      if (stored?.offset !== move.to.offset || stored.topicId !== move.to.topicId) return false;
    }
    return true;
  }
}
