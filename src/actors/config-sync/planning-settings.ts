/** What a thread of the planning pool is told of its node. */
import { workerData } from 'node:worker_threads';
import { isUnknownKeysMode, type UnknownKeysMode } from '../../core/parameters/unknown-keys-mode.js';
import type { FileRules } from '../../core/parameters/file-rules.js';
import { isFileRules } from '../../plugins/file-access.js';
import type { ValidateOptions } from '../../plugins/validate-connector.js';
import { isSecretProviders, type SecretProviders } from '../secret-providers.js';

export function nodeOptions(): ValidateOptions {
  const data = poolData();
  const text = (key: string): string | undefined => {
    const value = data[key];
    return typeof value === 'string' ? value : undefined;
  };
  const keyConverter = text('keyConverter');
  const valueConverter = text('valueConverter');
  const headerConverter = text('headerConverter');
  return {
    ...(keyConverter && { keyConverter }),
    ...(valueConverter && { valueConverter }),
    ...(headerConverter && { headerConverter }),
    unknownKeys: unknownKeysMode(),
    sharing: data['sharing'] === true,
    ownTopics: texts(data['ownTopics']),
  };
}

export function unknownKeysMode(): UnknownKeysMode {
  const { unknownKeys: given } = poolData();
  return isUnknownKeysMode(given) ? given : 'auto';
}

export function pluginPaths(): string[] {
  return texts(poolData()['pluginPaths']);
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

export function fileRules(): FileRules {
  const { files: given } = poolData();
  return isFileRules(given) ? given : { allowed: [], closed: [] };
}

export function secretProviders(): SecretProviders {
  const { secretProviders: given } = poolData();
  return isSecretProviders(given) ? given : { env: [], folders: [], scopes: [] };
}

/** piscina wraps what it was given for its threads. */
function poolData(): Readonly<Record<string, unknown>> {
  const data: unknown = Array.isArray(workerData) ? workerData[1] : workerData;
  return typeof data === 'object' && data !== null ? { ...data } : {};
}
