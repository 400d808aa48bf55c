/** One request of RocketMQ's remoting protocol on a connection of its own; for what has to be asked while one starts. */
import { createConnection } from 'node:net';
import { HOST } from './rocketmq-config.js';

const CLUSTER_INFO = 106;
const UPDATE_BROKER_CONFIG = 25;
const ANSWER_MS = 5000;
const MAX_BYTES = 4 * 1024 * 1024;

/** Whether the name server knows the broker. */
export async function isRegistered(nameServerPort: number, broker: string): Promise<boolean> {
  return (await request(nameServerPort, CLUSTER_INFO)).includes(`"${broker}"`);
}

/** Makes a broker register at once, by setting the permission that it has already. */
export async function register(brokerPort: number): Promise<void> {
  await request(brokerPort, UPDATE_BROKER_CONFIG, 'brokerPermission=6\n');
}

/** Answers header and body of the response as one text. */
function request(port: number, code: number, body = ''): Promise<string> {
  const header = Buffer.from(JSON.stringify({ code, language: 'OTHER', version: 0, opaque: 1, flag: 0 }));
  const lengths = Buffer.alloc(8);
  lengths.writeInt32BE(4 + header.length + Buffer.byteLength(body), 0);
  lengths.writeInt32BE(header.length, 4);
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: HOST, timeout: ANSWER_MS });
    let received = Buffer.alloc(0);
    socket.on('connect', () => socket.write(Buffer.concat([lengths, header, Buffer.from(body)])));
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      if (received.length > MAX_BYTES) socket.destroy(new Error(`the answer to ${code} is too long`));
      else if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        resolve(received.subarray(8).toString('utf8'));
        socket.destroy();
      }
    });
    socket.on('timeout', () => socket.destroy(new Error(`no answer to ${code} from port ${port}`)));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`port ${port} closed the connection`)));
  });
}
