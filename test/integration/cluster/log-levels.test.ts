import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { NodeProcess, removeFolder, START_MS, temporaryFolder } from '../../support/node-process.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { until } from '../../support/wait.js';

interface Line {
  readonly msg: string;
  readonly actor?: string;
  readonly level: string;
}

test('a level that is set on one node changes what the threads of all nodes write, and ends with a node', async (t) => {
  const dir = temporaryFolder();
  pluginPackage(dir, { class: 'example.Talkative', type: 'source', module: './talkative-source.js' });
  const nodes = await Promise.all(
    ['a', 'b'].map(async (id) => {
      mkdirSync(join(dir, id));
      return NodeProcess.create(join(dir, id), {
        workerId: id,
        'store.path': join(dir, 'log'),
        pluginPaths: join(dir, 'plugins'),
        'log.format': 'json',
      });
    }),
  );
  t.after(async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    removeFolder(dir);
  });
  const [a, b] = nodes;
  assert.ok(a !== undefined && b !== undefined);
  for (const node of nodes) await node.start();
  await a.run('talks', { 'connector.class': 'example.Talkative', topic: 't', 'tasks.max': '2' });
  const lines = (id: string): readonly Line[] =>
    (id === 'a' ? a : b).output
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Line);
  const talk = (id: string): readonly Line[] => lines(id).filter(({ msg }) => msg === 'the plugin talks');
  await until(
    'both nodes have a task',
    async () => {
      const loggers = await Promise.all(nodes.map((node) => node.request('GET', '/admin/loggers')));
      return loggers.every(({ body }) => JSON.stringify(body).includes('tasks.talks.'));
    },
    START_MS,
  );
  assert.deepEqual([talk('a').length, talk('b').length], [0, 0], 'as the nodes began');

  const set = await a.request('PUT', '/admin/loggers/example?scope=cluster', { level: 'DEBUG' });
  assert.equal(set.status, 204);
  await until(
    'tasks of both nodes write lines',
    () => talk('a').length > 0 && talk('b').length > 0,
    START_MS,
  );
  const own = lines('a').find(({ msg }) => msg === 'the plugin talks');
  assert.match(own?.actor ?? '', /^talks\/[01]$/);

  const off = await b.request('PUT', '/admin/loggers/tasks', { level: 'OFF' });
  assert.match(JSON.stringify(off.body), /^\["tasks","tasks\.talks\.[01]"\]$/);
  const more = (lines: number): Promise<unknown> => {
    const before = talk('a').length;
    return until(
      'a, of which nothing was set, writes on',
      () => talk('a').length >= before + lines,
      START_MS,
    );
  };
  // What was on its way when the level changed.
  await more(5);
  const written = talk('b').length;
  await more(20);
  assert.equal(talk('b').length, written);

  await a.stop();
  await a.start();
  const { body } = await a.request('GET', '/admin/loggers/example');
  assert.deepEqual((body as { code: string }).code, 'LOGGER_NOT_FOUND', 'levels end with their node');
});
