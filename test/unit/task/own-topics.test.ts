import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { reportIssue } from '#troupe/actors/replica-issues.js';
import { Topics } from '#troupe/actors/task/topics.js';
import { discoverPlugins } from '#troupe/plugins/discover.js';
import { validateConnector } from '#troupe/plugins/validate-connector.js';

const OWN = ['connector-config-topic', 'connector-offset-topic'];

async function errorsOf(raw: Record<string, string>, field: string): Promise<readonly string[]> {
  const config = { name: 'n', file: '/tmp/n', ...raw };
  const { configs } = await validateConnector(config, discoverPlugins([]), { ownTopics: OWN });
  return configs.find(({ value }) => value.name === field)?.value.errors ?? [];
}

test('a connector that writes to a topic of the cluster, or reads one, is refused', async () => {
  for (const key of ['topic', 'connect.topicname']) {
    const source = { 'connector.class': 'FileSourceConnector', [key]: 'connector-config-topic' };
    assert.match((await errorsOf(source, 'topic'))[0] ?? '', /one of the cluster's own topics/);
  }
  const sink = { 'connector.class': 'FileSinkConnector', topics: 'orders, connector-offset-topic' };
  assert.match((await errorsOf(sink, 'topics'))[0] ?? '', /one of the cluster's own topics/);
  assert.deepEqual(await errorsOf({ ...sink, topics: 'orders' }, 'topics'), []);
});

test('a record that a transform sends to a topic of the cluster is a bad record', async () => {
  const refuse = (): never => assert.fail('the log is not asked');
  const topics = new Topics({ describeTopic: refuse, createTopic: refuse }, refuse, OWN);
  assert.equal(topics.queues('connector-config-topic'), null);
  await assert.rejects(topics.ensure('connector-config-topic'), { name: 'DataError', code: 'OWN_TOPIC' });
  await assert.rejects(topics.ensure('two words'), { name: 'DataError', code: 'BAD_TOPIC' });
});

test('of a flood of entries that are not ours a few are said, and how many there were', async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const said: [object, string][] = [];
  const report = reportIssue({ warn: (...line) => said.push(line) }, 'connector-config-topic', 60_000);
  const flood = (code: 'BROKEN_ENTRY' | 'ENTRY_FAILED', entries: number): void => {
    for (let offset = 1; offset <= entries; offset += 1) report({ code, offset, message: 'skipped' });
  };
  flood('BROKEN_ENTRY', 1000);
  flood('ENTRY_FAILED', 1);
  assert.equal(said.length, 6, 'another kind is not held back by it');
  t.mock.timers.tick(60_000);
  const { code, offset } = said[6]?.[0] as { code: string; offset: number };
  assert.deepEqual([code, offset], ['BROKEN_ENTRY', 1000]);
  assert.match(said[6]?.[1] ?? '', /^995 more/);
  flood('BROKEN_ENTRY', 1);
  assert.equal(said.length, 8, 'and the next minute begins anew');
});
