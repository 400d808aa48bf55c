/** A connector's configuration: its common keys, and the check of the whole. */
export { commonDefinition, topicNameProblem, topicsRegex } from './config-common.js';
export { configKeyInfos, pluginKeyInfos, type ConfigInfos, type ConfigKeyInfo } from './config-infos.js';
export { validateConnector, type ValidateOptions } from './validate-connector.js';
