/** Names of Confluent's AvroData, by which schemas of Connect come back as they were. */
export const NAMESPACE = 'io.confluent.connect.avro';
export const DEFAULT_NAME = `${NAMESPACE}.ConnectDefault`;
export const MAP_ENTRY = `${NAMESPACE}.MapEntry`;
export const UNION = `${NAMESPACE}.Union`;
export const ENUM = `${NAMESPACE}.Enum`;
export const TYPE_PROP = 'connect.type';
export const INTERNAL_TYPE_PROP = 'connect.internal.type';
export const NAME_PROP = 'connect.name';
export const VERSION_PROP = 'connect.version';
export const DOC_PROP = 'connect.doc';
export const PARAMETERS_PROP = 'connect.parameters';
export const DEFAULT_PROP = 'connect.default';
export const FIXED_SIZE = 'connect.fixed.size';
export const PRECISION = 'connect.decimal.precision';
export const DEFAULT_PRECISION = 64;
