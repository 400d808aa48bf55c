/** A client that others wrote for Kafka Connect, through all that it can do. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isFields, parseJson, type Fields } from '#troupe/sdk/index.js';
import { requireService } from '@troupe/test-support/require-service';
import { JavaConversation } from '../../support/java-conversation.js';
import { CLIENT_JARS, kafkaAvailable, kafkaJars } from '../../support/kafka-jars.js';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { until } from '../../support/wait.js';
import { dataPath } from './player.js';

test(
  'SourceLab’s client for Kafka Connect leads a connector through its life',
  { skip: requireService(kafkaAvailable(CLIENT_JARS)) },
  async (t) => {
    const dir = temporaryFolder();
    const node = await NodeProcess.create(dir, {});
    const java = new JavaConversation(
      fileURLToPath(dataPath('SourceLabClient.java')),
      await kafkaJars(CLIENT_JARS),
    );
    t.after(async () => {
      java.stop();
      await node.kill();
      removeFolder(dir);
    });
    await node.start();
    const url = `http://127.0.0.1:${node.port}`;
    const ask = async (call: string, more: Fields = {}): Promise<Fields> => {
      const answer = parseJson(await java.ask(JSON.stringify({ url, call, ...more })));
      assert.ok(isFields(answer));
      return answer;
    };
    const gives = async (call: string, more?: Fields): Promise<unknown> => {
      const answer = await ask(call, more);
      assert.ok('gives' in answer, `${call}: ${JSON.stringify(answer)}`);
      return answer['gives'];
    };
    const throws = async (call: string, more: Fields, error: string, message: RegExp): Promise<void> => {
      const answer = await ask(call, more);
      assert.equal(answer['throws'], error, JSON.stringify(answer));
      assert.match(String(answer['message']), message);
    };

    const name = 'lines of a file';
    writeFileSync(join(dir, 'in.txt'), 'one\n');
    const config = { 'connector.class': 'FileStreamSource', topic: 'lines', file: join(dir, 'in.txt') };
    const isIn = (state: string): Promise<unknown> =>
      until(`the client sees ${state}`, async () => {
        const status = await gives('getConnectorStatus', { name });
        assert.ok(isFields(status) && isFields(status['connector']) && Array.isArray(status['tasks']));
        const tasks: readonly unknown[] = status['tasks'];
        return (
          status['connector']['state'] === state &&
          tasks.length === 1 &&
          tasks.every((task) => isFields(task) && task['state'] === state)
        );
      });

    assert.match(JSON.stringify(await gives('getConnectServerVersion')), /"version":"[\d.]+"/);
    assert.deepEqual(await gives('getConnectors'), []);
    assert.match(JSON.stringify(await gives('getConnectorPlugins')), /FileSourceConnector/);
    const checked = await gives('validateConnectorPluginConfig', {
      name: 'FileStreamSource',
      config: { 'connector.class': 'FileStreamSource' },
    });
    assert.ok(isFields(checked) && Number(checked['errorCount']) > 0, JSON.stringify(checked));
    await throws('getConnector', { name }, 'ResourceNotFoundException', /not found/);
    await throws(
      'addConnector',
      { name, config: { file: 'x' } },
      'InvalidRequestException',
      /Missing required configuration/,
    );

    const tasks = [{ connector: name, task: 0 }];
    const created = await gives('addConnector', { name, config });
    assert.deepEqual(created, { name, type: 'source', config: { ...config, name }, tasks: [] });
    await throws('addConnector', { name, config }, 'ConcurrentConfigModificationException', /already exists/);
    await isIn('RUNNING');
    assert.deepEqual(await gives('getConnectors'), [name]);
    assert.deepEqual(await gives('getConnector', { name }), {
      name,
      type: 'source',
      config: { ...config, name },
      tasks,
    });
    assert.deepEqual(await gives('getConnectorConfig', { name }), { ...config, name });
    assert.match(JSON.stringify(await gives('getConnectorsWithExpandedStatus')), /"state":"RUNNING"/);
    assert.match(JSON.stringify(await gives('getConnectorsWithExpandedInfo')), /FileStreamSource/);
    assert.deepEqual(await gives('getConnectorsWithAllExpandedMetadata'), [name]);
    assert.match(JSON.stringify(await gives('getConnectorTasks', { name })), /FileStreamSource/);
    assert.match(JSON.stringify(await gives('getConnectorTaskStatus', { name, task: 0 })), /"RUNNING"/);
    await until('the topic is seen', async () =>
      JSON.stringify(await gives('getConnectorTopics', { name })).includes('"topics":["lines"]'),
    );
    assert.equal(await gives('resetConnectorTopics', { name }), true);

    assert.equal(await gives('pauseConnector', { name }), true);
    await isIn('PAUSED');
    assert.equal(await gives('resumeConnector', { name }), true);
    await isIn('RUNNING');
    const changed = await gives('updateConnectorConfig', { name, config: { ...config, topic: 'other' } });
    assert.ok(isFields(changed) && isFields(changed['config']) && changed['config']['topic'] === 'other');
    await isIn('RUNNING');
    assert.equal(await gives('restartConnector', { name }), true);
    assert.equal(await gives('restartConnectorWithTasks', { name }), true);
    await isIn('RUNNING');
    assert.equal(await gives('restartConnectorTask', { name, task: 0 }), true);
    await isIn('RUNNING');
    await throws('restartConnectorTask', { name, task: 7 }, 'ResourceNotFoundException', /7/);
    assert.equal(await gives('deleteConnector', { name }), true);
    assert.deepEqual(await gives('getConnectors'), []);
    await throws('deleteConnector', { name }, 'ResourceNotFoundException', /not found/);
  },
);
