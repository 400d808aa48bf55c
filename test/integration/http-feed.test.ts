import { acceptSource, type SourceFixture } from '#troupe/sdk/testing/index.js';
import { serve } from '@troupe/test-support/serve';
import { loadExample } from '../support/example-plugin.js';

async function setup(): Promise<SourceFixture> {
  const items: { id: number; text: string }[] = [];
  const served = await serve((request, response) => {
    const past = Number(new URL(request.url ?? '/', 'http://feed').searchParams.get('after'));
    response.end(JSON.stringify(items.filter(({ id }) => id > past)));
  });
  return {
    ...served,
    produce: (count) => {
      const made = Array.from({ length: count }, (_, i) => ({
        id: items.length + i + 1,
        text: `item ${items.length + i + 1}`,
      }));
      items.push(...made);
      return Promise.resolve(made);
    },
  };
}

acceptSource({
  name: 'http-feed',
  plugin: await loadExample('http-feed'),
  setup,
  guarantee: 'exactly-once',
  parallel: true,
  wrongConfigs: [{ change: { url: 'nowhere' }, field: 'url' }],
});
