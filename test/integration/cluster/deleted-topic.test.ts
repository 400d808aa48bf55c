import { test } from 'node:test';
import { join } from 'node:path';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import { Cluster } from '../../support/cluster.js';
import { deleteUnderRunning } from '../../support/deleted-topic.js';

test('a topic deleted under running connectors fails their tasks with a reason, and no others', async (t) => {
  const cluster = new Cluster();
  t.after(() => cluster.destroy());
  await cluster.start('a');
  const deleteTopic = async (topic: string): Promise<void> => {
    const store = await EmbeddedStore.open({ dir: join(cluster.dir, 'log') });
    await store.deleteTopic(topic);
    await store.close();
  };
  await deleteUnderRunning(cluster, 'a', deleteTopic, { offset: 0 });
});
