import { ConfigError, DataError } from '@troupe/sdk';

/** What schemas are registered under. `recordName`: the full name of the schema; null where it has none. */
export type SubjectName = (topic: string, recordName: string | null) => string;

const PACKAGE = /^io\.confluent\.kafka\.serializers\.subject\./;

/** `name`: a strategy of Confluent's, with or without its package. Throws ConfigError of the `field`. */
export function subjectNames(name: string, part: 'key' | 'value', field: string): SubjectName {
  switch (name.replace(PACKAGE, '')) {
    case 'TopicNameStrategy':
      return (topic) => `${topic}-${part}`;
    case 'RecordNameStrategy':
      return (_topic, recordName) => named(recordName);
    case 'TopicRecordNameStrategy':
      return (topic, recordName) => `${topic}-${named(recordName)}`;
    default:
      throw new ConfigError(
        'must be TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy, of io.confluent.kafka.serializers.subject',
        { field },
      );
  }
}

function named(recordName: string | null): string {
  if (recordName !== null) return recordName;
  throw new DataError('its schema has no name, by which the subject is named: use TopicNameStrategy', {
    code: 'NO_RECORD_NAME',
  });
}
