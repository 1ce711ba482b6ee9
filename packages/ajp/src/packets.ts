import { MessageType } from './constants.ts';
import { u16Text } from './strings.ts';

/** A packet towards the web server, as latin-1 text. */
export function replyPacket(payload: string): string {
  return `AB${u16Text(payload.length)}${payload}`;
}

/** A packet towards the application, as latin-1 text. */
export function requestPacket(payload: string): string {
  return `\x124${u16Text(payload.length)}${payload}`;
}

export function typeText(type: number): string {
  return String.fromCharCode(type);
}

export const CPING = requestPacket(typeText(MessageType.CPING));
export const CPONG = replyPacket(typeText(MessageType.CPONG));
/** A body chunk without bytes: what came before it is not to be held back. */
export const FLUSH = replyPacket(`${typeText(MessageType.SEND_BODY_CHUNK)}\0\0\0`);
export const END_REUSE = replyPacket(`${typeText(MessageType.END_RESPONSE)}\x01`);
export const END_CLOSE = replyPacket(`${typeText(MessageType.END_RESPONSE)}\x00`);
/** The request has no more body. */
export const END_OF_BODY = bodyHeader(0);

export function getBodyText(length: number): string {
  return replyPacket(typeText(MessageType.GET_BODY_CHUNK) + u16Text(length));
}

/** What stands before so many body bytes of a request, as latin-1 text. */
export function bodyHeader(length: number): string {
  return `\x124${u16Text(length + 2)}${u16Text(length)}`;
}

/** Bytes that a chunk of a reply body has around its content. */
export const CHUNK_FRAME = 8;

/**
 * A text of one-byte characters as SEND_BODY_CHUNK packets.
 * @param most body bytes of one packet
 */
export function chunksText(text: string, most: number): string {
  let packets = '';
  for (let at = 0; at < text.length; at += most) {
    const piece = text.slice(at, at + most);
    packets += `${chunkHeaderText(piece.length)}${piece}\0`;
  }
  return packets;
}

/** What stands before the content of a SEND_BODY_CHUNK, as latin-1 text; behind it stands NUL. */
export function chunkHeaderText(length: number): string {
  return `AB${u16Text(length + 4)}${typeText(MessageType.SEND_BODY_CHUNK)}${u16Text(length)}`;
}
