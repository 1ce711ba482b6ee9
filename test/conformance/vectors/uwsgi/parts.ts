import { hex } from '@postern/testkit';
import { latin1, type Pairs } from '../scgi/parts.ts';

// What the inputs of uwsgi are made of.

/** A plain GET, with an empty CONTENT_LENGTH as nginx sends it. */
export const baseline = hex(`
  00 60 00 00 0e 00 52 45 51 55 45 53 54 5f 4d 45 54 48 4f 44 03 00 47 45 54 0b 00 52 45 51 55 45 53 54 5f 55 52 49
  01 00 2f 09 00 50 41 54 48 5f 49 4e 46 4f 01 00 2f 0f 00 53 45 52 56 45 52 5f 50 52 4f 54 4f 43 4f 4c 08 00 48 54 54
  50 2f 31 2e 31 0e 00 43 4f 4e 54 45 4e 54 5f 4c 45 4e 47 54 48 00 00`);

/** The baseline with other modifiers. */
export function modified(modifier1: number, modifier2 = 0): Buffer {
  const bytes = Buffer.from(baseline);
  bytes[0] = modifier1;
  bytes[3] = modifier2;
  return bytes;
}

function size(length: number): string {
  return String.fromCharCode(length & 255, length >> 8);
}

/** Variables as a block. */
export function block(pairs: Pairs): string {
  return pairs.map(([name, value]) => size(name.length) + name + size(value.length) + value).join('');
}

/** A packet with modifiers of 0 around a block. */
export function packet(content: string, length = content.length): Buffer {
  return latin1(`\0${size(length)}\0${content}`);
}

const plain: Pairs = [
  ['REQUEST_METHOD', 'GET'],
  ['REQUEST_URI', '/'],
];

/** A GET with more variables behind its own, and what comes behind the packet. */
export function withVariables(more: Pairs, body = ''): Buffer {
  return Buffer.concat([packet(block([...plain, ...more])), latin1(body)]);
}

/** The variables of a GET, with other bytes behind them in the block. */
export function withBytes(bytes: string): Buffer {
  return packet(block(plain) + bytes);
}
