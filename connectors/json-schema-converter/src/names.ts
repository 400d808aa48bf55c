/** Names of Confluent's JsonSchemaData, by which schemas of Connect come back as they were. */
export const NAMESPACE = 'io.confluent.connect.json';
export const ENUM = `${NAMESPACE}.Enum`;
export const ONE_OF = `${NAMESPACE}.OneOf`;
export const ONE_OF_FIELD = `${ONE_OF}.field.`;
export const TYPE = 'connect.type';
export const INDEX = 'connect.index';
export const VERSION = 'connect.version';
export const PARAMETERS = 'connect.parameters';
