/** The configuration files of a RocketMQ on this machine: small files, small heaps, loopback. */

export interface Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
}

export type Settings = Readonly<Record<string, string | number | boolean>>;

export const HOST = '127.0.0.1';
export const CLUSTER = 'DefaultCluster';

/** Options of the JVM: of brokers and proxies, and of everything smaller. */
export const SERVER_JVM = [
  '-Xms128m',
  '-Xmx512m',
  '-XX:MaxDirectMemorySize=512m',
  '-XX:+UseSerialGC',
  // As RocketMQ's own start scripts do.
  '--add-exports=java.base/sun.nio.ch=ALL-UNNAMED',
  '--add-opens=java.base/java.nio=ALL-UNNAMED',
];
export const SMALL_JVM = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

export const nameServerSettings = (port: number): Settings => ({ bindAddress: HOST, listenPort: port });

export interface BrokerConfig {
  readonly name: string;
  readonly port: number;
  readonly namesrvAddr: string;
  readonly storeDir: string;
  readonly syncFlush: boolean;
  readonly acl: Credentials | undefined;
}

export function brokerSettings(config: BrokerConfig): Settings {
  const { name, port, namesrvAddr, storeDir, syncFlush, acl } = config;
  return {
    brokerClusterName: CLUSTER,
    brokerName: name,
    brokerId: 0,
    brokerIP1: HOST,
    bindAddress: HOST,
    listenPort: port,
    haListenPort: port + 1,
    namesrvAddr,
    registerNameServerPeriod: 10_000, // the shortest
    storePathRootDir: storeDir,
    cleanFileForciblyEnable: false, // else a disk that is 85 % full loses records that were never read
    flushDiskType: syncFlush ? 'SYNC_FLUSH' : 'ASYNC_FLUSH',
    // Files are created at their full size; the sizes of production would take a gigabyte to begin with.
    mappedFileSizeCommitLog: 64 * 1024 * 1024,
    mappedFileSizeConsumeQueue: 20 * 50_000,
    mapperFileSizeBatchConsumeQueue: 46 * 20_000,
    maxHashSlotNum: 100_000,
    maxIndexNum: 400_000,
    ...(acl === undefined ? {} : aclSettings(acl, BROKER_METADATA)),
  };
}

export interface ProxyConfig {
  /** `local` runs the broker in the same process; `cluster` finds the brokers by the name server. */
  readonly mode: 'local' | 'cluster';
  readonly namesrvAddr: string;
  readonly grpcPort: number;
  readonly remotingPort: number;
  readonly acl: Credentials | undefined;
}

export function proxySettings({ mode, namesrvAddr, grpcPort, remotingPort, acl }: ProxyConfig): Settings {
  return {
    rocketMQClusterName: CLUSTER,
    proxyMode: mode,
    namesrvAddr,
    grpcServerPort: grpcPort,
    remotingListenPort: remotingPort,
    // The hook signs what the proxy itself asks of the brokers.
    ...(acl === undefined
      ? {}
      : { ...aclSettings(acl, PROXY_METADATA), enableAclRpcHookForClusterMode: true }),
  };
}

// A broker keeps users and rules itself; a proxy asks the brokers.
const BROKER_METADATA = [
  'org.apache.rocketmq.auth.authentication.provider.LocalAuthenticationMetadataProvider',
  'org.apache.rocketmq.auth.authorization.provider.LocalAuthorizationMetadataProvider',
] as const;
const PROXY_METADATA = [
  'org.apache.rocketmq.proxy.auth.ProxyAuthenticationMetadataProvider',
  'org.apache.rocketmq.proxy.auth.ProxyAuthorizationMetadataProvider',
] as const;

/** RocketMQ's ACL 2.0, with one user who may do everything. */
function aclSettings(
  { accessKey, secretKey }: Credentials,
  [authenticationMetadataProvider, authorizationMetadataProvider]: readonly [string, string],
): Settings {
  return {
    authenticationEnabled: true,
    authenticationProvider: 'org.apache.rocketmq.auth.authentication.provider.DefaultAuthenticationProvider',
    authenticationMetadataProvider,
    initAuthenticationUser: JSON.stringify({ username: accessKey, password: secretKey }),
    innerClientAuthenticationCredentials: JSON.stringify({ accessKey, secretKey }),
    authorizationEnabled: true,
    authorizationProvider: 'org.apache.rocketmq.auth.authorization.provider.DefaultAuthorizationProvider',
    authorizationMetadataProvider,
  };
}

/** What RocketMQ's own tools sign with: `conf/tools.yml` of ROCKETMQ_HOME. */
export function toolsText({ accessKey, secretKey }: Credentials): string {
  return `accessKey: ${JSON.stringify(accessKey)}\nsecretKey: ${JSON.stringify(secretKey)}\n`;
}

/** Java's properties format: a backslash escapes. */
export function propertiesText(settings: Settings): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('');
}
