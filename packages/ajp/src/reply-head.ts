import { LocalProtocolError, ownText, reasonOf } from '@postern/core';
import { HEADER_CODE, HEADER_LENGTH, MessageType, replyHeaders } from './constants.ts';
import { replyPacket } from './packets.ts';
import { stringText, u16Text } from './strings.ts';

/** The code of a reply header, as it stands on the wire, by its name in lower case. */
const codes = new Map<string, string>(
  replyHeaders.map((name, i) => [name.toLowerCase(), u16Text(HEADER_CODE + i + 1)]),
);

/** A name of a header as it stands on the wire. */
interface HeaderName {
  readonly text: string;
  readonly coded: boolean;
}

/** Names that were looked at, as applications write them. They write the same ones again and again. */
const names = new Map<string, HeaderName>();
const MOST_NAMES = 1024;

function headerName(name: string): HeaderName {
  if (name.length >= HEADER_CODE)
    throw new LocalProtocolError('ERR_HEADER_BLOCK', `a header name of ${name.length} bytes cannot be sent over AJP`);
  const own = ownText(name);
  const code = codes.get(own.toLowerCase());
  const known = { text: code ?? stringText(own), coded: code !== undefined };
  if (names.size < MOST_NAMES) names.set(own, known);
  return known;
}

function fieldText(name: HeaderName, value: string): string {
  return `${name.text}${u16Text(value.length)}${value}\0`;
}

const DATE = headerName('Date');

/** The beginning of SEND_HEADERS. Some web servers take a reply without a reason for a broken one. */
function startText(status: number, reason: string): string {
  return String.fromCharCode(MessageType.SEND_HEADERS) + u16Text(status) + stringText(reason || reasonOf(status));
}

const START_OK = startText(200, 'OK');

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
  let first = '';
  let others = '';
  for (let i = 0; i < headers.length; i += 2) {
    const name = names.get(headers[i]) ?? headerName(headers[i]);
    const field = fieldText(name, headers[i + 1]);
    if (first === '' && name.coded) first = field;
    else others += field;
  }
  const dated = first === '';
  if (dated) first = fieldText(DATE, new Date().toUTCString());
  const count = headers.length / 2 + (dated ? 1 : 0);
  const start = status === 200 && reason === 'OK' ? START_OK : startText(status, reason);
  const size = HEADER_LENGTH + start.length + 2 + first.length + others.length;
  if (size > packetSize) {
    throw new LocalProtocolError(
      'ERR_HEADER_BLOCK',
      `the head of the reply takes ${size} bytes, packetSize is ${packetSize}`,
      { limit: 'packetSize' },
    );
  }
  return replyPacket(start + u16Text(count) + first + others);
}
