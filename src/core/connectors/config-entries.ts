/** The entries of the config topic. */
import {
  byType,
  count,
  flag,
  listOf,
  nullable,
  object,
  oneOf,
  optional,
  recordOf,
  text,
  type Shape,
} from '../replica/json-shape.js';
import type { TargetState } from '../model.js';
import type { TopicsWrite } from './used-topics.js';
import { ANSWER_ENTRY, SIGNAL_ENTRY, type AnswerWrite, type SignalWrite } from './signals.js';

export type Config = Readonly<Record<string, string>>;

export interface ConnectorWrite {
  readonly name: string;
  readonly config: Config;
  /** VERSION_CONFLICT unless the stored version is this one; null: CONNECTOR_EXISTS when there is a connector. */
  readonly expectedVersion?: number | null;
  /** Of a connector that this write creates; default RUNNING. */
  readonly initialState?: TargetState;
  /** For whoever repeats old knowledge (a file, a node that was away): CONNECTOR_DELETED when it was deleted. */
  readonly unlessDeleted?: boolean;
  /**
   * Hash of the boot file that says so. ALREADY_APPLIED when this was the last one applied for the name, by whatever node:
   * a node that comes later must not undo what was changed or deleted since.
   */
  readonly boot?: string;
}

/** The outcome of planning from the connector's config of this version. */
export interface TasksWrite {
  readonly name: string;
  readonly connectorVersion: number;
  readonly configs: readonly Config[];
  /** Of the planner's claim. TASKS_STALE when a newer one has planned: this planner was evicted in the meantime. */
  readonly epoch?: number;
  /** `replans.asked` when planning began: what was asked up to there is done. */
  readonly asked?: number;
}

export type ConfigEntry =
  | ({ readonly type: 'CONNECTOR' } & ConnectorWrite)
  | { readonly type: 'TARGET'; readonly name: string; readonly state: TargetState }
  | { readonly type: 'DELETE'; readonly name: string }
  | ({ readonly type: 'TASKS' } & TasksWrite)
  /** The same, and the tasks take it over while they run. TASKS_STALE where they cannot. */
  | ({ readonly type: 'SETTINGS' } & TasksWrite)
  | {
      readonly type: 'RESTART';
      readonly name: string;
      readonly connector: boolean;
      readonly tasks: readonly number[];
    }
  /** Its tasks are to be planned again, from the same config. */
  | { readonly type: 'REPLAN'; readonly name: string }
  | ({ readonly type: 'SIGNAL' } & SignalWrite)
  | ({ readonly type: 'ANSWER' } & AnswerWrite)
  | ({ readonly type: 'TOPICS' } & TopicsWrite);

export const isTarget = oneOf<TargetState>('RUNNING', 'PAUSED', 'STOPPED');
export const isConfig = recordOf(text);
/** What a claim, a status and a path are made of: no slash, or one unit could be taken for another. */
export const isName: Shape<string> = (value): value is string =>
  text(value) && value !== '' && !value.includes('/');

/** Whether entries of a connector of this name can be read. */
export function isConnectorName(name: string): boolean {
  return isName(name);
}

const isTasksWrite = object<TasksWrite>({
  name: isName,
  connectorVersion: count,
  configs: listOf(isConfig),
  epoch: optional(count),
  asked: optional(count),
});

export const isConfigEntry = byType<ConfigEntry>({
  CONNECTOR: object<ConnectorWrite>({
    name: isName,
    config: isConfig,
    expectedVersion: optional(nullable(count)),
    initialState: optional(isTarget),
    unlessDeleted: optional(flag),
    boot: optional(text),
  }),
  TARGET: object({ name: isName, state: isTarget }),
  DELETE: object({ name: isName }),
  TASKS: isTasksWrite,
  SETTINGS: isTasksWrite,
  RESTART: object({ name: isName, connector: flag, tasks: listOf(count) }),
  REPLAN: object({ name: isName }),
  SIGNAL: object<SignalWrite>({ name: isName, ...SIGNAL_ENTRY }),
  ANSWER: object<AnswerWrite>({ name: isName, ...ANSWER_ENTRY }),
  TOPICS: object<TopicsWrite>({ name: isName, topics: nullable(listOf(text)) }),
});
