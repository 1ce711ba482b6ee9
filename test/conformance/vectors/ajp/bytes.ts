import { expect } from '@jest/globals';
import type { Exchange } from '@postern/core';
import { forward, hex, packet, str } from '../../../../packages/ajp/test/writer.ts';
import type { Seen } from '../observe.ts';
import { abortAndClose, ok, refused, shut, type Vector } from '../vector.ts';

export {
  attribute,
  bodyPacket,
  CPING,
  EMPTY,
  type Forward,
  forward,
  hex,
  packet,
  str,
} from '../../../../packages/ajp/test/writer.ts';

/** GET / with Host: a, as the rows have it. */
export const get = hex(`
  12 34 00 2f 02 02 00 08 48 54 54 50 2f 31 2e 31 00 00 01 2f 00 00 09 31 32 37 2e 30 2e 30 2e 31 00 ff ff 00 01 61 00
  00 50 00 00 01 a0 0b 00 01 61 00 ff`);

/** The same with another URI, given as it stands on the wire. */
export function withUri(uri: Uint8Array): Buffer {
  const head = Buffer.concat([hex('02 02'), str('HTTP/1.1'), uri, str('127.0.0.1'), str(null), str('a')]);
  return packet(head, hex('00 50 00 00 01 a0 0b'), str('a'), hex('ff'));
}

/** GET / with a secret. */
export function secret(...given: (string | null)[]): Buffer {
  return forward({ attributes: given.map((one) => Buffer.concat([hex('0c'), str(one)])) });
}

type Rest = Partial<Vector> & Pick<Vector, 'row' | 'title' | 'input'>;

/** Answered 200, and the connection goes on. */
export function served(rest: Rest): Vector {
  return { want: ok('open', { others: [] }), ...rest, check: checks(goesOn, rest.check) };
}

/** Answered with an error, and that is the last answer. */
export function turnedDown(status: number, rule: string, rest: Rest): Vector {
  return { want: refused(status, { rule }), ...rest, check: checks(isLast, rest.check) };
}

/** Closed without a byte. */
export function closed(rule: string, rest: Rest): Vector {
  return { want: shut({ rule }), ...rest };
}

/** The request that runs is given up, and its answer is not ended. */
export function givenUp(rule: string, rest: Rest): Vector {
  return { want: abortAndClose({ rule, others: [] }), ...rest };
}

function checks(one: (seen: Seen) => void, other: Vector['check']): Vector['check'] {
  return (seen, name) => {
    one(seen);
    other?.(seen, name);
  };
}

/** Whether END_RESPONSE says that the connection is used again. */
export function goesOn({ marks }: Seen): void {
  expect(marks).toEqual([1]);
}

export function isLast({ marks }: Seen): void {
  expect(marks).toEqual([0]);
}

/** Answers in a later turn, and reads nothing. */
export function later(exchange: Exchange): void {
  setImmediate(() => {
    exchange.respond(200, 'OK', ['Content-Type', 'text/plain'], 'later');
  });
}

/** Lengths that GET_BODY_CHUNK asked for. */
export function asks({ output }: Seen): number[] {
  const bytes = Buffer.from(output, 'latin1');
  const lengths: number[] = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt16BE(at + 2))
    if (bytes[at + 4] === 6) lengths.push(bytes.readUInt16BE(at + 5));
  return lengths;
}
