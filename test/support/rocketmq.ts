/** A real RocketMQ 5 on this machine: a name server, one or more brokers and the gRPC proxy, each a Java process. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { JavaProcess } from './java-process.js';
import { removeFolder, temporaryFolder } from './node-process.js';
import {
  brokerSettings,
  HOST,
  nameServerSettings,
  propertiesText,
  proxySettings,
  SERVER_JVM,
  SMALL_JVM,
  toolsText,
  type Credentials,
  type Settings,
} from './rocketmq-config.js';
import { ROCKETMQ_VERSIONS, rocketmqJars } from './rocketmq-jars.js';
import { freeRocketMqPorts, type RocketMqPorts } from './rocketmq-ports.js';
import { isRegistered, register } from './rocketmq-remoting.js';
import { until } from './wait.js';

export { ROCKETMQ_FOLDER, ROCKETMQ_VERSIONS, rocketmqAvailable, rocketmqJars } from './rocketmq-jars.js';
export { requireService } from '@troupe/test-support/require-service';

export interface RocketMqOptions {
  /** Default: the oldest version that is supported. */
  readonly version?: string | undefined;
  /** Masters, default 1: broker-a, broker-b… */
  readonly brokers?: number | undefined;
  /**
   * Where the gRPC proxy runs: in the process of the one broker (the default, and dies with it), in a process of its
   * own (needed, and the default, for several brokers), or nowhere (starts sooner).
   */
  readonly proxy?: 'in-broker' | 'separate' | 'none' | undefined;
  /** A send is acknowledged when it is on the disk. */
  readonly syncFlush?: boolean | undefined;
  /** Switches authentication and authorization on, with this one user who may do everything. */
  readonly acl?: Credentials | undefined;
  /** Settings of the brokers, and of the proxy, that come on top of ours. */
  readonly brokerSettings?: Settings | undefined;
  readonly proxySettings?: Settings | undefined;
  /** Options of the JVMs of brokers and proxy, e.g. `-Xmx1g`. */
  readonly jvm?: readonly string[] | undefined;
  /** Where everything is kept. Default: a fresh temporary folder, which `stop()` deletes. */
  readonly dir?: string | undefined;
  /** Default: ports that are free. */
  readonly ports?: RocketMqPorts | undefined;
  readonly onProgress?: ((line: string) => void) | undefined;
  /** A process ended without having been stopped or killed by us. */
  readonly onDeath?: ((process: JavaProcess) => void) | undefined;
}

const PROXY_MAIN = 'org.apache.rocketmq.proxy.ProxyStartup';
const PROXY_READY = 'rocketmq-proxy startup successfully';
const ADMIN_MS = 60_000;
const REGISTER_MS = 60_000;

/** Starts one, and answers when it serves. Stop it in `after()`; whatever happens, its processes end with this one. */
export async function startRocketMq(options: RocketMqOptions = {}): Promise<RocketMq> {
  const jars = await rocketmqJars(options.version ?? ROCKETMQ_VERSIONS.oldest, options.onProgress);
  const dir = options.dir ?? temporaryFolder();
  const rocketmq = new RocketMq(
    jars,
    dir,
    options.ports ?? (await freeRocketMqPorts(options.brokers)),
    options,
  );
  try {
    await rocketmq.start();
  } catch (error) {
    await rocketmq.stop();
    throw error;
  }
  return rocketmq;
}

export class RocketMq {
  readonly dir: string;
  readonly ports: RocketMqPorts;
  /** For `namesrvAddr` of connect.conf. */
  readonly namesrvAddr: string;
  /** For `rocketmq.endpoints` of connect.conf. */
  readonly endpoints: string;
  readonly nameServer: JavaProcess;
  readonly brokers: readonly JavaProcess[];
  /** A proxy in a process of its own. */
  readonly proxy: JavaProcess | null;
  readonly #jars: string;
  readonly #options: RocketMqOptions;
  readonly #files = new Map<string, string>();
  #stopped = false;

  constructor(jars: string, dir: string, ports: RocketMqPorts, options: RocketMqOptions) {
    this.#jars = jars;
    this.#options = options;
    this.dir = dir;
    this.ports = ports;
    this.namesrvAddr = `${HOST}:${ports.nameServer}`;
    this.endpoints = `${HOST}:${ports.grpc}`;
    const several = ports.brokers.length > 1;
    const proxy = options.proxy ?? (several ? 'separate' : 'in-broker');
    if (several && proxy === 'in-broker') throw new Error('A proxy inside a broker serves only that broker.');
    if (options.acl !== undefined) this.#file('conf/tools.yml', toolsText(options.acl));
    this.nameServer = this.#createNameServer();
    this.brokers = ports.brokers.map((port, at) => this.#createBroker(at, port, proxy === 'in-broker'));
    this.proxy = proxy === 'separate' ? this.#createProxy() : null;
  }

  /** In the order of their start. */
  get processes(): readonly JavaProcess[] {
    return [this.nameServer, ...this.brokers, ...(this.proxy === null ? [] : [this.proxy])];
  }

  get brokerPid(): number {
    return this.#broker(0).pid;
  }

  async start(): Promise<void> {
    for (const [path, text] of this.#files) {
      const at = join(this.dir, path);
      await mkdir(dirname(at), { recursive: true });
      await writeFile(at, text);
    }
    await this.#start([this.nameServer]);
    await this.#start(this.brokers);
    await Promise.all(this.brokers.map((_, at) => this.registered(at)));
    await this.startProxy();
  }

  /** Where it has a process of its own. */
  async startProxy(): Promise<void> {
    // It ends when the name server does not answer within three seconds, which happens on a busy machine.
    if (this.proxy !== null) await this.#start([this.proxy], 3);
  }

  /** An orderly end, SIGTERM. */
  async stopBroker(at = 0): Promise<void> {
    await this.#broker(at).stop();
  }

  /** SIGKILL. */
  async killBroker(at = 0): Promise<void> {
    await this.#broker(at).kill();
  }

  /** On the same port and data. While there is no name server, it is not waited for the registration. */
  async startBroker(at = 0): Promise<void> {
    await this.#broker(at).start();
    if (this.nameServer.running) await this.registered(at);
  }

  /**
   * Waits until the name server knows the broker. The registration that a broker tries at its start is often too early
   * for its own connection, and the next would be in 10 seconds; so it is asked to, unless that needed a signature.
   */
  async registered(at = 0): Promise<void> {
    const { name } = this.#broker(at);
    await until(
      `${name} is registered`,
      async () => {
        if (await isRegistered(this.ports.nameServer, name)) return true;
        if (this.#options.acl === undefined) await register(this.ports.brokers[at]!);
        return false;
      },
      REGISTER_MS,
    );
  }

  async stopNameServer(): Promise<void> {
    await this.nameServer.stop();
  }

  /** It knows nobody yet: brokers register every 10 seconds, or see `registered`. */
  async startNameServer(): Promise<void> {
    await this.nameServer.start();
  }

  /**
   * Runs a command of RocketMQ's own `mqadmin`, e.g. `['topicStatus', '-t', 'orders']`; answers what it prints. On a
   * loaded machine its own three seconds for an answer may pass, which says nothing: then it is run again.
   */
  async admin(args: readonly string[]): Promise<string> {
    const command = `mqadmin ${args.join(' ')}`;
    const { stdout, output } = await until(command, () => this.#adminOnce(args), ADMIN_MS);
    // It ends with 0 whatever happens.
    if (/^\S*Exception\b|^The sub command/m.test(output)) throw new Error(`${command}:\n${output}`);
    return stdout;
  }

  /** Null: it waited for an answer in vain. */
  async #adminOnce(
    args: readonly string[],
  ): Promise<{ readonly stdout: string; readonly output: string } | null> {
    const { stdout, stderr } = await promisify(execFile)('java', [...SMALL_JVM, ...this.adminArgs(args)], {
      timeout: ADMIN_MS,
      maxBuffer: 16 * 1024 * 1024,
      cwd: this.dir,
      env: { ...process.env, ...this.#environment },
    });
    const output = stdout + stderr;
    return output.includes('RemotingTimeoutException') ? null : { stdout, output };
  }

  /** The same for a shell: what comes after `java`, with ROCKETMQ_HOME set to `dir`. */
  adminArgs(args: readonly string[]): string[] {
    const tool = 'org.apache.rocketmq.tools.command.MQAdminStartup';
    return [`-Duser.home=${this.dir}`, '-cp', `${this.#jars}/*`, tool, ...args, '-n', this.namesrvAddr];
  }

  /** Ends everything. A folder of its own goes with it, so there nothing is asked to end in an orderly way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#options.dir === undefined) {
      await Promise.all(this.processes.map((process) => process.kill()));
      removeFolder(this.dir);
    } else for (const process of [...this.processes].reverse()) await process.stop();
  }

  get #environment(): Record<string, string> {
    return { ROCKETMQ_HOME: this.dir };
  }

  #broker(at: number): JavaProcess {
    const broker = this.brokers[at];
    if (broker === undefined) throw new Error(`there is no broker ${at}`);
    return broker;
  }

  async #start(servers: readonly JavaProcess[], tries = 1): Promise<void> {
    if (this.#stopped) throw new Error('RocketMQ was stopped while it started');
    this.#options.onProgress?.(`starting ${servers.map(({ name }) => name).join(', ')}`);
    try {
      await Promise.all(servers.map((server) => server.start()));
    } catch (error) {
      if (tries === 1) throw error;
      await this.#start(servers, tries - 1);
    }
  }

  #createNameServer(): JavaProcess {
    const config = this.#file(
      'namesrv/namesrv.conf',
      propertiesText(nameServerSettings(this.ports.nameServer)),
    );
    const main = ['org.apache.rocketmq.namesrv.NamesrvStartup', '-c', config];
    return this.#process('namesrv', SMALL_JVM, main, 'The Name Server boot success');
  }

  #createBroker(at: number, port: number, withProxy: boolean): JavaProcess {
    const { syncFlush = false, acl } = this.#options;
    const name = `broker-${String.fromCharCode(97 + at)}`;
    const config = this.#file(
      `${name}/broker.conf`,
      propertiesText({
        ...brokerSettings({
          name,
          port,
          namesrvAddr: this.namesrvAddr,
          storeDir: join(this.dir, name, 'store'),
          syncFlush,
          acl,
        }),
        ...this.#options.brokerSettings,
      }),
    );
    const main = withProxy
      ? [PROXY_MAIN, '-pm', 'local', '-bc', config, '-pc', this.#proxyFile(name, 'local')]
      : ['org.apache.rocketmq.broker.BrokerStartup', '-c', config];
    return this.#process(name, this.#serverJvm, main, withProxy ? PROXY_READY : ' boot success');
  }

  #createProxy(): JavaProcess {
    const main = [PROXY_MAIN, '-pm', 'cluster', '-pc', this.#proxyFile('proxy', 'cluster')];
    return this.#process('proxy', this.#serverJvm, main, PROXY_READY);
  }

  #proxyFile(folder: string, mode: 'local' | 'cluster'): string {
    const { grpc, remotingProxy } = this.ports;
    const { acl, proxySettings: more } = this.#options;
    const settings = proxySettings({
      mode,
      namesrvAddr: this.namesrvAddr,
      grpcPort: grpc,
      remotingPort: remotingProxy,
      acl,
    });
    return this.#file(`${folder}/rmq-proxy.json`, JSON.stringify({ ...settings, ...more }, null, 2));
  }

  get #serverJvm(): readonly string[] {
    return [...SERVER_JVM, ...(this.#options.jvm ?? [])];
  }

  #process(name: string, jvm: readonly string[], main: readonly string[], readyText: string): JavaProcess {
    const args = [...jvm, '-cp', `${this.#jars}/*`, ...main];
    const dir = join(this.dir, name);
    return new JavaProcess({
      name,
      dir,
      args,
      env: this.#environment,
      readyText,
      onDeath: this.#options.onDeath,
    });
  }

  /** To be written at the start. */
  #file(path: string, text: string): string {
    this.#files.set(path, text);
    return join(this.dir, path);
  }
}
