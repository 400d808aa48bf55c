import type { FileRules } from '../../core/parameters/file-rules.js';
import type { NodeRef, UnitKey } from '../../core/model.js';
import type { LogSettings } from '../log/open.js';
import type { Protocol } from '../kernel/protocol.js';
import type { SecretProviders } from '../secret-providers.js';

/** Nobody needs to ask a task: it long-polls its target state from the rebalancer, and tells it its own. */
export interface TaskProtocol extends Protocol {
  tell: Record<string, never>;
  ask: Record<string, never>;
}

export interface TaskParams {
  readonly unit: UnitKey;
  readonly epoch: number;
  readonly generation: number;
  readonly node: NodeRef;
  readonly taskCount: number;
  /** It gives up its thread when it has had nothing to do for so long; 0: it does not. */
  readonly passivateAfterMs: number;
  /** The connector's config with the task's own laid over it. */
  readonly config: Readonly<Record<string, string>>;
  /** Of the connector's config that it is from. */
  readonly version: number;
  readonly settings: TaskSettings;
}

/** Node-wide settings; a connector's config may override those that it has keys for. */
export interface TaskSettings {
  readonly logSettings: LogSettings;
  readonly pluginPaths: readonly string[];
  /** Which files the plugin may open. */
  readonly files: FileRules;
  readonly secretProviders: SecretProviders;
  readonly positionTopic: string;
  readonly offsetTopic: string;
  /** The cluster's own, which no pattern matches. */
  readonly ownTopics: readonly string[];
  readonly keyConverter: string;
  readonly valueConverter: string;
  readonly headerConverter: string;
  /** A call of the plugin that takes longer is reported as stalled. */
  readonly stallTimeoutMs: number;
  /** How long the plugin's stop may take after its task has failed. */
  readonly stopTimeoutMs: number;
  readonly offsetFlushIntervalMs: number;
  readonly topicCreation: boolean;
  readonly topicQueues: number;
  readonly topicRetentionMs: number | null;
  readonly topicRetentionBytes: number | null;
}
