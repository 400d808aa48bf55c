import {
  fieldOf,
  isFields,
  parseJson,
  withHeaders,
  withValue,
  type ConnectRecord,
  type Header,
  type Plugin,
  type Transform,
} from '@troupe/sdk';
import {
  attributesOf,
  bad,
  checkAttributes,
  CONTENT_TYPE,
  contentTypeOf,
  DATA,
  DATA_BASE64,
  envelopeAttributes,
  header,
  PREFIX,
  STRUCTURED,
  withoutEvent,
} from './attributes.js';

/** A CloudEvent as a record: its data is the value, and its attributes are headers, whichever mode it came in. */
const transform: Transform = {
  version: '1.0.0',
  config: [
    {
      name: 'required',
      type: 'BOOLEAN',
      defaultValue: 'true',
      importance: 'MEDIUM',
      documentation: 'A record that is no CloudEvent is a bad one; false: it passes as it is.',
    },
  ],
  create: (config) => {
    const required = config.boolean('required');
    return { apply: (record) => unpacked(record, required) };
  },
};

function unpacked<R extends ConnectRecord>(record: R, required: boolean): R {
  const contentType = contentTypeOf(record.headers);
  if (contentType?.toLowerCase().startsWith(STRUCTURED) === true) return fromEnvelope(record);
  const attributes = attributesOf(record.headers);
  if (attributes !== null) {
    checkAttributes(attributes);
    return withHeaders(record, headersOf(record, attributes, contentType));
  }
  if (!required) return record;
  throw bad(`it has neither headers ${PREFIX}… nor the content type ${STRUCTURED}`);
}

function fromEnvelope<R extends ConnectRecord>(record: R): R {
  const envelope = envelopeOf(record.value);
  if (!isFields(envelope)) throw bad('its value is no JSON object');
  const attributes = new Map(checkAttributes(envelopeAttributes(envelope)));
  const contentType = attributes.get('datacontenttype') ?? null;
  attributes.delete('datacontenttype');
  const headers = headersOf(record, attributes, contentType);
  return withHeaders(withValue(record, null, dataOf(envelope)), headers);
}

/** From a converter of JSON it is an object already. */
function envelopeOf(value: unknown): unknown {
  if (isFields(value)) return value;
  const text = value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value;
  if (typeof text !== 'string') return null;
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

function dataOf(envelope: Readonly<Record<string, unknown>>): unknown {
  const base64 = fieldOf(envelope, DATA_BASE64);
  if (base64 === undefined) return fieldOf(envelope, DATA) ?? null;
  if (typeof base64 !== 'string') throw bad(`its ${DATA_BASE64} is no text`);
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

function headersOf(
  record: ConnectRecord,
  attributes: ReadonlyMap<string, string>,
  contentType: string | null,
): readonly Header[] {
  const own = [...attributes].map(([name, text]) => header(PREFIX + name, text));
  const type = contentType === null ? [] : [header(CONTENT_TYPE, contentType)];
  return [...withoutEvent(record.headers), ...own, ...type];
}

export default { type: 'transformation', plugin: transform } satisfies Plugin;
