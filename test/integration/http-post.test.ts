import { acceptSink, type SinkFixture } from '#troupe/sdk/testing/index.js';
import { loadExample, serve } from '../support/example-plugin.js';

async function setup(): Promise<SinkFixture> {
  const posted: string[] = [];
  const served = await serve((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      posted.push(Buffer.concat(chunks).toString());
      response.writeHead(204).end();
    });
  });
  return { ...served, read: () => Promise.resolve(posted) };
}

acceptSink({
  name: 'http-post',
  plugin: await loadExample('http-post'),
  setup,
  wrongConfigs: [{ change: { url: 'nowhere' }, field: 'url' }],
});
