import { HEADER_LENGTH, MAX_CONTENT, RecordType } from './constants.ts';

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
export function headerBytes(type: number, id: number, length: number): Buffer {
  const bytes = Buffer.alloc(HEADER_LENGTH);
  bytes[0] = 1;
  bytes[1] = type;
  bytes.writeUInt16BE(id, 2);
  bytes.writeUInt16BE(length, 4);
  bytes[6] = -length & 7;
  return bytes;
}

/** A record whose content is short: latin-1 text. */
export function recordText(type: number, id: number, content: string): string {
  return headerText(type, id, content.length) + content + paddingText(content.length);
}

/** The end of a reply: one empty STDOUT, then END_REQUEST (§5.5). */
export function endText(id: number, appStatus: number, protocolStatus: number): string {
  const stdoutEnd = headerText(RecordType.STDOUT, id, 0);
  return stdoutEnd + endRequestText(id, appStatus, protocolStatus);
}

export function endRequestText(id: number, appStatus: number, protocolStatus: number): string {
  const status = String.fromCharCode(0, 0, 0, appStatus & 255, protocolStatus, 0, 0, 0);
  return headerText(RecordType.END_REQUEST, id, 8) + status;
}

/** The content of one record of a stream that is cut: the largest multiple of eight, so that no padding is needed. */
export const STREAM_PIECE = MAX_CONTENT - (MAX_CONTENT % 8);
