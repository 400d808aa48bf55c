/** A process of its own: registers the acceptance suite for the plugin and the fault that its arguments name. */
import { after } from 'node:test';
import { acceptSink, acceptSource } from '#troupe/sdk/testing/index.js';
import { endAll, faultyPlugin, setup, type Fault } from './faulty-connectors.js';

const [type, fault] = process.argv.slice(2);
after(endAll);
// The test beside this file names one of them.
const options = {
  name: 'it',
  setup: () => setup(fault as Fault),
  plugin: faultyPlugin(type === 'sink' ? 'sink' : 'source', fault as Fault),
};
if (type === 'sink') acceptSink(options);
else acceptSource(options);
