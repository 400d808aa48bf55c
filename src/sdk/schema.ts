/**
 * Schemas, with Kafka Connect's types and logical types. A value is plain JavaScript:
 *
 * | type                      | value                                                        |
 * |---------------------------|--------------------------------------------------------------|
 * | INT8 INT16 INT32          | number (integer)                                             |
 * | INT64                     | number when it is a safe integer, else bigint                |
 * | FLOAT32 FLOAT64           | number                                                       |
 * | BOOLEAN, STRING           | boolean, string                                              |
 * | BYTES                     | Uint8Array                                                   |
 * | ARRAY                     | array                                                        |
 * | MAP                       | Map, or plain object when the keys are strings               |
 * | STRUCT                    | plain object                                                 |
 * | logical Date, Time, Timestamp | JavaScript Date                                          |
 * | logical Decimal           | `Decimal` ({ unscaled: bigint, scale: number })              |
 */
export type SchemaType =
  | 'INT8'
  | 'INT16'
  | 'INT32'
  | 'INT64'
  | 'FLOAT32'
  | 'FLOAT64'
  | 'BOOLEAN'
  | 'STRING'
  | 'BYTES'
  | 'ARRAY'
  | 'MAP'
  | 'STRUCT';

export interface SchemaField {
  readonly name: string;
  readonly schema: Schema;
}

/** Immutable. Build with `SchemaBuilder` or the constants; equal schemas may be different objects. */
export interface Schema {
  readonly type: SchemaType;
  readonly optional: boolean;
  /** Logical or record name, for example `org.apache.kafka.connect.data.Timestamp`. */
  readonly name?: string;
  readonly version?: number;
  readonly doc?: string;
  readonly defaultValue?: unknown;
  readonly parameters?: Readonly<Record<string, string>>;
  /** STRUCT only, in order. */
  readonly fields?: readonly SchemaField[];
  /** MAP only. */
  readonly keySchema?: Schema;
  /** MAP and ARRAY only. */
  readonly valueSchema?: Schema;
}
