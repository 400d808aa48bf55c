/** What happened in the runs: a simulation in which nothing goes wrong shows nothing. */
export const SITUATIONS = [
  'append lost',
  'append of unknown outcome that was done',
  'append done late',
  'append repeated',
  'append torn between records and position',
  'append refused by a fence of the log',
  'progress refused by a fence of its topic',
  'node paused past its lease',
  'node cut off past its lease',
  'configs read late by a node',
  'lease lost with tasks running',
  'node crashed',
  'node killed as it answered a request',
  'node left in order',
  'node evicted',
  'node learned that it was evicted',
  'eviction void, as its node was heard since',
  'claim refused, as another was first',
  'unit taken over',
  'unit moved in order',
  'task crashed',
  'rebalancer crashed',
  'task gave up its thread',
  'passive task woken',
  'passive task found by a new rebalancer',
  'snapshot written',
  'snapshot torn',
  'state begun from a snapshot',
  'replica overtaken by trimming',
  'stale node told what was deleted',
  'write of a user lost a race',
  'connector deleted',
  'signal answered',
  'connector planned again as it was asked',
  'changed config taken over by a task that runs',
  'task quarantined',
  'task cleared of suspicion',
  'record appended twice',
  'record of a task of an older plan appended late',
  'record delivered twice',
] as const;

export type Situation = (typeof SITUATIONS)[number];

/** They come in few seeds of some thousands; the others are sure to come in some hundreds. */
export const RARE: ReadonlySet<Situation> = new Set([
  'append torn between records and position',
  'append refused by a fence of the log',
  'progress refused by a fence of its topic',
  'eviction void, as its node was heard since',
  'write of a user lost a race',
  'record of a task of an older plan appended late',
  'record delivered twice',
]);

export class Coverage {
  readonly #counts = new Map<string, number>();

  saw(situation: Situation, times = 1): void {
    this.#counts.set(situation, (this.#counts.get(situation) ?? 0) + times);
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(SITUATIONS.map((each) => [each, this.#counts.get(each) ?? 0]));
  }
}
