/** A transform that can be used only while there is a file. Loaded as a plugin by tests. */
import { existsSync } from 'node:fs';
import type { Plugin } from '#troupe/sdk/index.js';

const plugin: Plugin = {
  type: 'transformation',
  plugin: {
    version: '1.0.0',
    config: [{ name: 'needs', type: 'STRING', importance: 'HIGH', documentation: 'Path of the file.' }],
    create: (config) => {
      if (!existsSync(config.string('needs'))) throw new Error('what it needs is not there');
      return { apply: (record) => record };
    },
  },
};

export default plugin;
