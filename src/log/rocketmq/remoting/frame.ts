/**
 * One frame of the remoting protocol: int32 length of the rest, int32 type of serialisation << 24 | length of the
 * header, header, body. Headers are written as JSON; a server may be set to answer in the binary form.
 */
import * as shape from '../../../core/replica/json-shape.js';
import { readBinaryHeader } from './binary-header.js';
import { parseJson } from './loose-json.js';
import type { Fields, Header } from './types.js';

/** Servers close the connection of who sends more (Netty's frameMaxLength). */
export const MAX_SENT_BYTES = 16 * 1024 * 1024;
/** The broker's own limit of what a pull answers is 128 MB. */
export const MAX_RECEIVED_BYTES = 136 * 1024 * 1024;
const MAX_HEADER_BYTES = 16 * 1024 * 1024;

/** 5.3.3: a client so new is told GO_AWAY when a server shuts down, and gets routes as standard JSON. */
const VERSION = 479;
const RESPONSE_FLAG = 1;
const ONEWAY_FLAG = 2;
const JSON_TYPE = 0;
const BINARY_TYPE = 1;

export interface Question {
  readonly code: number;
  readonly fields: Fields;
  readonly body?: Buffer;
}

export interface Answer {
  readonly code: number;
  readonly remark: string;
  readonly fields: Fields;
  readonly body: Buffer;
}

export interface Frame extends Answer {
  readonly opaque: number;
  readonly isResponse: boolean;
  readonly isOneway: boolean;
}

/** All but the body, which follows. */
export function encodeHead(question: Question, opaque: number): Buffer {
  return encode(
    { code: question.code, opaque, flag: 0, extFields: question.fields },
    question.body?.length ?? 0,
  );
}

export function encodeResponse(code: number, opaque: number, remark: string): Buffer {
  return encode({ code, opaque, flag: RESPONSE_FLAG, remark }, 0);
}

function encode(header: object, bodyLength: number): Buffer {
  const json = Buffer.from(JSON.stringify({ ...header, language: 'OTHER', version: VERSION }));
  const head = Buffer.allocUnsafe(8 + json.length);
  head.writeInt32BE(4 + json.length + bodyLength, 0);
  head.writeInt32BE((JSON_TYPE << 24) | json.length, 4);
  json.copy(head, 8);
  return head;
}

/** `bytes`: a frame without its first length. */
export function decodeFrame(bytes: Buffer): Frame {
  const headerLength = bytes.readUIntBE(1, 3);
  const bodyStart = 4 + headerLength;
  if (headerLength > MAX_HEADER_BYTES || bodyStart > bytes.length)
    throw new Error(`a header of ${headerLength} bytes in a frame of ${bytes.length}`);
  const header = decodeHeader(bytes.readUInt8(0), bytes.subarray(4, bodyStart));
  return {
    code: header.code,
    opaque: header.opaque,
    remark: header.remark,
    fields: header.fields,
    isResponse: (header.flag & RESPONSE_FLAG) !== 0,
    isOneway: (header.flag & ONEWAY_FLAG) !== 0,
    body: bytes.subarray(bodyStart),
  };
}

function decodeHeader(type: number, bytes: Buffer): Header {
  if (type === BINARY_TYPE) return readBinaryHeader(bytes);
  if (type !== JSON_TYPE) throw new Error(`serialisation type ${type}`);
  const header = parseJson(bytes.toString());
  if (!isJsonHeader(header)) throw new Error('a header without code, opaque and flag');
  return { ...header, remark: header.remark ?? '', fields: header.extFields ?? {} };
}

const isJsonHeader = shape.object<{
  readonly code: number;
  readonly opaque: number;
  readonly flag: number;
  readonly remark: string | null | undefined;
  readonly extFields: Fields | null | undefined;
}>({
  code: shape.number,
  opaque: shape.number,
  flag: shape.number,
  remark: shape.optional(shape.nullable(shape.text)),
  extFields: shape.optional(shape.nullable(shape.recordOf(shape.text))),
});
