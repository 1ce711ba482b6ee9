import { LocalProtocolError, reasonOf } from '@postern/core';
import { HEADER_CODE, HEADER_LENGTH, MessageType, replyHeaders } from './constants.ts';
import { replyPacket } from './packets.ts';
import { stringText, u16Text } from './strings.ts';

/** The code of a reply header, as it stands on the wire, by its name in lower case. */
const codes = new Map<string, string>(
  replyHeaders.map((name, i) => [name.toLowerCase(), u16Text(HEADER_CODE + i + 1)]),
);

function fieldText(name: string, value: string): string {
  if (name.length >= HEADER_CODE)
    throw new LocalProtocolError('ERR_HEADER_BLOCK', `a header name of ${name.length} bytes cannot be sent over AJP`);
  return (codes.get(name.toLowerCase()) ?? stringText(name)) + stringText(value);
}

/**
 * SEND_HEADERS as latin-1 text. Its first header always has a code, for lighttpd takes the first two bytes of the
 * headers for their number; where the application gives none of those, that is Date.
 *
 * @param headers flat [name, value, …], checked
 * @param packetSize in bytes, with the header of the packet
 * @throws LocalProtocolError ERR_HEADER_BLOCK: it does not fit one packet
 */
export function sendHeadersText(
  status: number,
  reason: string,
  headers: readonly string[],
  packetSize: number,
): string {
  let first = 0;
  while (first < headers.length && !codes.has(headers[first].toLowerCase())) first += 2;
  const dated = first === headers.length;
  let fields = dated ? fieldText('Date', new Date().toUTCString()) : fieldText(headers[first], headers[first + 1]);
  for (let i = 0; i < headers.length; i += 2) if (i !== first) fields += fieldText(headers[i], headers[i + 1]);
  const count = headers.length / 2 + (dated ? 1 : 0);
  // some web servers take a reply without a reason for a broken one
  const start =
    String.fromCharCode(MessageType.SEND_HEADERS) + u16Text(status) + stringText(reason || reasonOf(status));
  const size = HEADER_LENGTH + start.length + 2 + fields.length;
  if (size > packetSize) {
    throw new LocalProtocolError(
      'ERR_HEADER_BLOCK',
      `the head of the reply takes ${size} bytes, packetSize is ${packetSize}`,
      { limit: 'packetSize' },
    );
  }
  return replyPacket(start + u16Text(count) + fields);
}
