import { createHash, randomUUID } from 'node:crypto';
import {
  ConfigError,
  isFields,
  isSourceRecord,
  withHeaders,
  withValue,
  type ConnectRecord,
  type Header,
  type ParsedConfig,
  type Plugin,
  type Transform,
} from '@troupe/sdk';
import {
  bad,
  checkAttributes,
  CONTENT_TYPE,
  DATA,
  DATA_BASE64,
  header,
  PREFIX,
  STRUCTURED,
  VERSION,
  withoutEvent,
} from './attributes.js';

/** A record as a CloudEvent: its value is the data. */
const transform: Transform = {
  version: '1.0.0',
  config: [
    {
      name: 'mode',
      type: 'STRING',
      defaultValue: 'binary',
      allowed: ['binary', 'structured'],
      importance: 'HIGH',
      documentation:
        'binary: attributes become headers (`ce_id` and so on), the value stays. structured: the value becomes an envelope of attributes and data, for JsonConverter with schemas.enable=false.',
    },
    {
      name: 'event.source',
      type: 'STRING',
      importance: 'HIGH',
      documentation:
        'The attribute `source`: a URI of where events come from. `${topic}` stands for the topic.',
      validator: (value) => (value === '' ? 'must not be empty' : null),
    },
    {
      name: 'event.type',
      type: 'STRING',
      importance: 'HIGH',
      documentation: 'The attribute `type`, as `com.example.order.created`. `${topic}` stands for the topic.',
      validator: (value) => (value === '' ? 'must not be empty' : null),
    },
    {
      name: 'id',
      type: 'STRING',
      defaultValue: 'random',
      allowed: ['random', 'position'],
      importance: 'MEDIUM',
      documentation:
        "random: each event has another `id`. position: of a source, made of the record's place in it, so that a record that comes again has the id that it had; for sources that give no two records one position.",
    },
    {
      name: 'datacontenttype',
      type: 'STRING',
      defaultValue: 'application/json',
      importance: 'MEDIUM',
      documentation: 'What the data is, as the value converter writes it.',
    },
    {
      name: 'dataschema',
      type: 'STRING',
      defaultValue: null,
      importance: 'LOW',
      documentation: 'A URI of the schema of the data.',
    },
    {
      name: 'subject.from.key',
      type: 'BOOLEAN',
      defaultValue: 'false',
      importance: 'LOW',
      documentation: 'The key of the record, where it is text or a number, as the attribute `subject`.',
    },
  ],
  create: (config) => {
    const make = makerOf(config);
    return { apply: (record) => make(record) };
  },
};

function makerOf(config: ParsedConfig): <R extends ConnectRecord>(record: R) => R {
  const structured = config.string('mode') === 'structured';
  const contentType = config.string('datacontenttype');
  const dataSchema = config.stringOrNull('dataschema');
  const subjects = config.boolean('subject.from.key');
  const byPosition = config.string('id') === 'position';
  const [source, type] = [config.string('event.source'), config.string('event.type')];
  if (structured && !/[/+]json$/.test(contentType))
    throw new ConfigError('must be JSON in structured mode, as application/json', {
      field: 'datacontenttype',
    });
  const filled = (text: string, topic: string | null): string => text.replaceAll('${topic}', topic ?? '');
  return (record) => {
    const time = record.timestamp === null ? null : new Date(record.timestamp).toISOString();
    const { key } = record;
    const subject = subjects && (typeof key === 'string' || typeof key === 'number') ? String(key) : null;
    const attributes = new Map<string, string>([
      ['specversion', VERSION],
      ['id', byPosition ? positionId(record) : randomUUID()],
      ['source', filled(source, record.topic)],
      ['type', filled(type, record.topic)],
    ]);
    if (subject !== null && subject !== '') attributes.set('subject', subject);
    if (time !== null) attributes.set('time', time);
    if (dataSchema !== null) attributes.set('dataschema', dataSchema);
    checkAttributes(attributes);
    const others = withoutEvent(record.headers);
    if (!structured) {
      const own = [...attributes].map(([name, text]): Header => header(PREFIX + name, text));
      return withHeaders(record, [...others, ...own, header(CONTENT_TYPE, contentType)]);
    }
    attributes.set('datacontenttype', contentType);
    const envelope = { ...Object.fromEntries(attributes), ...dataOf(record.value) };
    return withHeaders(withValue(record, null, envelope), [...others, header(CONTENT_TYPE, STRUCTURED)]);
  };
}

/** So that one that comes again can be told. */
function positionId(record: ConnectRecord): string {
  if (!isSourceRecord(record)) return randomUUID();
  const { sourcePartition, sourcePosition } = record;
  return createHash('sha256')
    .update(JSON.stringify([sourcePartition, sourcePosition]))
    .digest('hex')
    .slice(0, 32);
}

function dataOf(value: unknown): Readonly<Record<string, unknown>> {
  if (value === null || value === undefined) return {};
  if (value instanceof Uint8Array) return { [DATA_BASE64]: Buffer.from(value).toString('base64') };
  if (typeof value === 'object' && !isFields(value) && !Array.isArray(value) && !(value instanceof Map))
    throw bad('its value is neither text, number, bytes, array nor object');
  return { [DATA]: value };
}

export default { type: 'transformation', plugin: transform } satisfies Plugin;
