/** Requests of any size in each protocol, made by hand. */
import { begin, type OneOfFive, pairs, params, stdin } from '@postern/testkit';

export type Fields = readonly (readonly [name: string, value: string])[];

export interface MadeRequest {
  /** What frames the variables, the variables, and what comes behind. */
  readonly front: Buffer;
  readonly block: Buffer;
  readonly back: Buffer;
  /** Variables, or header fields where the protocol sends those. */
  readonly count: number;
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function u16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 255);
}

function u16le(value: number): Buffer {
  return Buffer.of(value & 255, value >> 8);
}

function ajpString(text: string): Buffer {
  return Buffer.concat([u16(text.length), latin1(`${text}\0`)]);
}

function cgiVariables(fields: Fields): [string, string][] {
  return [
    ['CONTENT_LENGTH', '0'],
    ['SCGI', '1'],
    ['REQUEST_METHOD', 'GET'],
    ['REQUEST_URI', '/'],
    ['SCRIPT_NAME', ''],
    ['PATH_INFO', '/'],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ['SERVER_NAME', 'a'],
    ['SERVER_PORT', '80'],
    ...fields.map(([name, value]) => [`HTTP_${name.toUpperCase().replaceAll('-', '_')}`, value] as [string, string]),
  ];
}

/** A GET of "/" that is the last on its connection where the protocol can say so, with these header fields. */
export function make(protocol: OneOfFive, fields: Fields): MadeRequest {
  const variables = cgiVariables(fields);
  const count = variables.length;
  const none = Buffer.alloc(0);
  switch (protocol) {
    case 'fastcgi': {
      const block = pairs(variables);
      return { front: begin(), block, back: Buffer.concat([params(), stdin()]), count };
    }
    case 'scgi': {
      const block = latin1(variables.map(([name, value]) => `${name}\0${value}\0`).join(''));
      return { front: latin1(`${block.length}:`), block, back: latin1(','), count };
    }
    case 'uwsgi': {
      const items = variables.flatMap(([name, value]) => [
        u16le(name.length),
        latin1(name),
        u16le(value.length),
        latin1(value),
      ]);
      const block = Buffer.concat(items);
      return { front: Buffer.concat([Buffer.of(0), u16le(block.length), Buffer.of(0)]), block, back: none, count };
    }
    case 'ajp': {
      const block = Buffer.concat([
        Buffer.of(2, 2),
        ...['HTTP/1.1', '/', '127.0.0.1', 'localhost', 'app.test'].map(ajpString),
        u16(80),
        Buffer.of(0),
        u16(fields.length),
        ...fields.flatMap(([name, value]) => [ajpString(name), ajpString(value)]),
        Buffer.of(0xff),
      ]);
      return {
        front: Buffer.concat([Buffer.of(0x12, 0x34), u16(block.length)]),
        block,
        back: none,
        count: fields.length,
      };
    }
    case 'http': {
      const all: Fields = [['Host', 'app.test'], ['Connection', 'close'], ...fields];
      const block = latin1(all.map(([name, value]) => `${name}: ${value}\r\n`).join(''));
      return { front: latin1('GET / HTTP/1.1\r\n'), block, back: latin1('\r\n'), count: all.length };
    }
  }
}

/** FastCGI's block in records of at most so many bytes. */
export function recordsOf(block: Buffer, size = 65_528): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < block.length; at += size) records.push(params(block.subarray(at, at + size)));
  return records;
}

export function bytesOf(protocol: OneOfFive, { front, block, back }: MadeRequest): Buffer {
  return Buffer.concat([front, ...(protocol === 'fastcgi' ? recordsOf(block) : [block]), back]);
}

export function withFields(protocol: OneOfFive, fields: Fields = []): Buffer {
  return bytesOf(protocol, make(protocol, fields));
}

/** A request whose block of variables has exactly so many bytes: 500 or more. */
export function ofSize(protocol: OneOfFive, size: number): MadeRequest {
  // from 128 bytes on the lengths of FastCGI have one form, so that each byte more is a byte more
  const lengths = Array.from({ length: 1 + Math.floor(size / 60_000) }, () => 150);
  const fields = (): Fields => lengths.map((length, i) => [`x-${i}`, 'x'.repeat(length)]);
  let missing = size - make(protocol, fields()).block.length;
  for (const [i, length] of lengths.entries()) {
    const more = Math.min(missing, 60_000);
    lengths[i] = length + more;
    missing -= more;
  }
  return make(protocol, fields());
}
