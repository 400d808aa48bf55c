/** The keys that all converters with a registry have, by Confluent's names. */
import { ConfigError, type ConfigDefinition, type ConfigKey, type ParsedConfig } from '@troupe/sdk';
import { subjectNames, type SubjectName } from './subjects.js';
import type { RegistryAddress } from './transport.js';

const REGISTRY = 'Schema registry';
const USER_INFO = /^[^:]*:.*$/s;

const text = (
  name: string,
  displayName: string,
  documentation: string,
  more: Partial<ConfigKey> = {},
): ConfigKey => ({
  name,
  type: 'STRING',
  defaultValue: null,
  importance: 'MEDIUM',
  documentation,
  group: REGISTRY,
  displayName,
  ...more,
});

/** Without a default it must be given. */
const required = ({ defaultValue: _, ...key }: ConfigKey): ConfigKey => key;

const SUBJECTS = 'TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy';
const PEM = 'As text in PEM; write `${file:…}` for one in a file.';

export const REGISTRY_KEYS: ConfigDefinition = [
  required(
    text(
      'schema.registry.url',
      'Registry',
      'URLs of the registry, separated by commas; the next is tried where one does not answer.',
      {
        type: 'LIST',
        importance: 'HIGH',
        validator: urlProblem,
      },
    ),
  ),
  text(
    'auto.register.schemas',
    'Register schemas',
    'Register the schemas of records that are written; false: they must be there already.',
    {
      type: 'BOOLEAN',
      defaultValue: 'true',
    },
  ),
  text(
    'use.latest.version',
    'Use the latest version',
    'With auto.register.schemas=false: write by the newest schema of the subject, whatever that of the record is.',
    {
      type: 'BOOLEAN',
      defaultValue: 'false',
      importance: 'LOW',
    },
  ),
  text('key.subject.name.strategy', 'Subjects of keys', `How the subjects of keys are named: ${SUBJECTS}.`, {
    type: 'CLASS',
    defaultValue: 'io.confluent.kafka.serializers.subject.TopicNameStrategy',
  }),
  text(
    'value.subject.name.strategy',
    'Subjects of values',
    `How the subjects of values are named: ${SUBJECTS}.`,
    {
      type: 'CLASS',
      defaultValue: 'io.confluent.kafka.serializers.subject.TopicNameStrategy',
    },
  ),
  text(
    'basic.auth.credentials.source',
    'Source of credentials',
    'URL: user and password stand in the URL. USER_INFO: in basic.auth.user.info.',
    {
      defaultValue: 'URL',
      allowed: ['URL', 'USER_INFO'],
      anyCase: true,
    },
  ),
  text('basic.auth.user.info', 'User and password', 'With USER_INFO: `user:password`.', {
    aliases: ['schema.registry.basic.auth.user.info'],
    type: 'PASSWORD',
  }),
  text(
    'schema.registry.ssl.truststore.certificates',
    'Trusted certificates',
    `Certificates that that of the registry may be signed by, instead of the well-known ones. ${PEM}`,
  ),
  text(
    'schema.registry.ssl.keystore.certificate.chain',
    'Own certificate',
    `Certificate of this client. ${PEM}`,
  ),
  text('schema.registry.ssl.keystore.key', 'Own key', `Private key of this client. ${PEM}`, {
    type: 'PASSWORD',
  }),
  text('http.read.timeout.ms', 'Timeout', 'How long the registry may take to answer, in milliseconds.', {
    type: 'INT',
    defaultValue: '10000',
    min: 1,
    max: 60_000,
    importance: 'LOW',
  }),
  text(
    'schemas.cache.config',
    'Schemas in the cache',
    'How many schemas are kept, of those read and of those written each.',
    {
      aliases: ['max.schemas.per.subject'],
      type: 'INT',
      defaultValue: '1000',
      min: 1,
      max: 100_000,
      importance: 'LOW',
    },
  ),
];

export interface RegistryOptions {
  readonly address: RegistryAddress;
  readonly autoRegister: boolean;
  readonly useLatest: boolean;
  readonly subjectName: SubjectName;
  readonly cacheSize: number;
}

/** Throws ConfigError. */
export function registryOptions(
  config: ParsedConfig,
  {
    isKey,
    isHeader = false,
    useLatest = config.boolean('use.latest.version'),
  }: { readonly isKey: boolean; readonly isHeader?: boolean; readonly useLatest?: boolean },
): RegistryOptions {
  if (isHeader)
    throw new ConfigError(
      'it is for keys and values: headers have no subjects in a registry, take JsonConverter',
    );
  const part = isKey ? 'key' : 'value';
  const field = `${part}.subject.name.strategy`;
  const fromUrl = config.string('basic.auth.credentials.source').toUpperCase() === 'URL';
  const given = config.has('basic.auth.user.info') ? config.secret('basic.auth.user.info').reveal() : null;
  if (!fromUrl && (given === null || !USER_INFO.test(given)))
    throw new ConfigError('must be user:password where basic.auth.credentials.source is USER_INFO', {
      field: 'basic.auth.user.info',
    });
  return {
    address: {
      urls: config.list('schema.registry.url').map((url) => new URL(url)),
      userInfo: fromUrl ? null : given,
      timeoutMs: config.int('http.read.timeout.ms'),
      ca: config.stringOrNull('schema.registry.ssl.truststore.certificates'),
      cert: config.stringOrNull('schema.registry.ssl.keystore.certificate.chain'),
      key: config.has('schema.registry.ssl.keystore.key')
        ? config.secret('schema.registry.ssl.keystore.key').reveal()
        : null,
    },
    autoRegister: config.boolean('auto.register.schemas'),
    useLatest,
    subjectName: subjectNames(config.string(field), part, field),
    cacheSize: config.int('schemas.cache.config'),
  };
}

function urlProblem(value: unknown): string | null {
  const urls: readonly unknown[] = Array.isArray(value) ? value : [];
  if (urls.length === 0) return 'must name at least one URL';
  for (const url of urls) {
    if (typeof url !== 'string' || !URL.canParse(url)) return 'must be URLs, as http://127.0.0.1:8081';
    if (!/^https?:$/.test(new URL(url).protocol)) return 'must be URLs of http or https';
  }
  return null;
}
