import type { Plugin } from '../../sdk/index.js';
import { nodeFileOps } from './file-ops.js';
import { fileSink } from './sink-connector.js';

const plugin: Plugin = { type: 'sink', plugin: fileSink(nodeFileOps) };
export default plugin;
