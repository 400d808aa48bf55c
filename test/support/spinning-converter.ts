/** A converter that never comes back from a value that says so. */
import type { Plugin } from '#troupe/sdk/index.js';

const plugin: Plugin = {
  type: 'converter',
  plugin: {
    version: '1.0.0',
    input: 'text',
    config: [],
    create: () => ({
      fromConnectData: () => null,
      toConnectData: (_topic, data) => {
        for (let i = 0; data !== null; i += 1) if (i < 0) break;
        return { schema: null, value: null };
      },
    }),
  },
};

export default plugin;
