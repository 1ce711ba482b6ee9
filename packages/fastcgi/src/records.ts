import { HEADER_LENGTH, MAX_CONTENT, ProtocolStatus, RecordType } from './constants.ts';

/** Bytes that bring a content to a multiple of eight (§3.3). */
export function paddingFor(length: number): number {
  return -length & 7;
}

const zeros = ['', '\0', '\0\0', '\0\0\0', '\0\0\0\0', '\0\0\0\0\0', '\0\0\0\0\0\0', '\0\0\0\0\0\0\0'];

/** The bytes of a padding as latin-1. */
export function paddingText(length: number): string {
  return zeros[-length & 7];
}

/** A record header as latin-1 text; the padding is the one that `paddingFor` gives. */
export function headerText(type: number, id: number, length: number): string {
  return String.fromCharCode(1, type, id >> 8, id & 255, length >> 8, length & 255, -length & 7, 0);
}

/** A record header as bytes. */
export function headerBytes(type: number, id: number, length: number, padding = paddingFor(length)): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_LENGTH);
  bytes[0] = 1;
  bytes[1] = type;
  bytes[2] = id >> 8;
  bytes[3] = id & 255;
  bytes[4] = length >> 8;
  bytes[5] = length & 255;
  bytes[6] = padding;
  bytes[7] = 0;
  return bytes;
}

/** A record whose content is short: latin-1 text. */
export function recordText(type: number, id: number, content: string): string {
  return headerText(type, id, content.length) + content + paddingText(content.length);
}

/** The ends of replies by their ids: connections have few at once, and begin with 1. */
const ends: string[] = [];
const MOST_ENDS = 256;

/** The end of a complete reply: one empty STDOUT, then END_REQUEST (§5.5). */
export function endText(id: number): string {
  if (id >= MOST_ENDS) return makeEnd(id);
  ends[id] ??= makeEnd(id);
  return ends[id];
}

function makeEnd(id: number): string {
  return headerText(RecordType.STDOUT, id, 0) + endRequestText(id, 0, ProtocolStatus.REQUEST_COMPLETE);
}

export function endRequestText(id: number, appStatus: number, protocolStatus: number): string {
  const status = String.fromCharCode(0, 0, 0, appStatus & 255, protocolStatus, 0, 0, 0);
  return headerText(RecordType.END_REQUEST, id, 8) + status;
}

/** The content of one record of a stream that is cut: the largest multiple of eight, so that no padding is needed. */
export const STREAM_PIECE = MAX_CONTENT - (MAX_CONTENT % 8);
