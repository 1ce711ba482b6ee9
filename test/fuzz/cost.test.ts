import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { limitsWith, type Protocol, RemoteProtocolError } from '@postern/core';
import { begin, outputText, pair, pairs, params, plainGet, record, singleBytes } from '@postern/testkit';
import { ajp } from '../../packages/ajp/src/index.ts';
import { bodyPacket, CPING, forward } from '../../packages/ajp/test/writer.ts';
import { fastcgi } from '../../packages/fastcgi/src/index.ts';
import { scgi } from '../../packages/scgi/src/index.ts';
import * as netstrings from '../../packages/scgi/test/writer.ts';
import { uwsgi } from '../../packages/uwsgi/src/index.ts';
import * as packets from '../../packages/uwsgi/test/writer.ts';
import * as container from './ajp-answers.ts';
import { type Cost, countCalls, measured, turn } from './targets/cost.ts';

let stop = (): void => {};
beforeAll(() => {
  stop = countCalls();
});
afterAll(() => stop());

/** Feeds a connection as a transport does, and takes all that comes. @returns the code of what broke it */
function feed(
  connection: ReturnType<Protocol['server']> | ReturnType<Protocol['client']>,
  chunks: Uint8Array[],
): string {
  for (const chunk of chunks) {
    connection.receive(chunk);
    try {
      for (let event = connection.next(); event !== undefined; event = connection.next()) {
        turn();
        connection.pull(event.id);
      }
    } catch (error) {
      if (!(error instanceof RemoteProtocolError)) throw error;
      return error.code;
    }
    outputText(connection);
    if ('retain' in connection) connection.retain();
  }
  return '';
}

function spent(protocol: Protocol, side: 'server' | 'client', chunks: Uint8Array[]): Cost {
  const limits = limitsWith({
    maxBody: 0,
    maxEnvBytes: 1_048_576,
    maxValueBytes: 1_048_576,
    maxReplyHeaderBytes: 1_048_576,
  });
  return measured(() => {
    if (side === 'server') feed(protocol.server(limits, { packetSize: 65_536 }), chunks);
    else {
      const connection = protocol.client(limits, { packetSize: 65_536 });
      connection.send({ type: 'request', id: 1, variables: ['REQUEST_METHOD', 'GET'], keep: false });
      outputText(connection);
      feed(connection, chunks);
    }
  }).cost;
}

/** What an attacker would send much of; `size` says how much. */
interface Shape {
  readonly name: string;
  readonly protocol: Protocol;
  readonly side: 'server' | 'client';
  readonly chunks: (size: number) => Uint8Array[];
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

const post = { ...plainGet, REQUEST_METHOD: 'POST' };
const line = 'CONTENT_LENGTH\x000\0SCGI\x001\0REQUEST_METHOD\0GET\0REQUEST_URI\0/\0';
const names = (size: number): [string, string][] =>
  Array.from({ length: Math.min(size / 8, 900) }, (_, i) => [String(i * 65_536), 'v']);
const reply = (size: number): Buffer => latin1(`Status: 200 OK\r\nX: ${'v'.repeat(size)}\r\n\r\nbody`);

const shapes: readonly Shape[] = [
  {
    name: 'F19: a record of STDIN that comes byte by byte',
    protocol: fastcgi,
    side: 'server',
    chunks: (size) => {
      const head = Buffer.concat([begin(), params(pairs({ ...post, CONTENT_LENGTH: String(size) })), params()]);
      return singleBytes(Buffer.concat([head, record(5, 1, Buffer.alloc(size))]));
    },
  },
  {
    name: 'F19: a record of PARAMS that comes byte by byte',
    protocol: fastcgi,
    side: 'server',
    chunks: (size) => singleBytes(Buffer.concat([begin(), params(pair('HTTP_X', 'v'.repeat(size))), params()])),
  },
  {
    name: 'PARAMS in records of one byte',
    protocol: fastcgi,
    side: 'server',
    chunks: (size) => [
      Buffer.concat([begin(), ...singleBytes(pair('HTTP_X', 'v'.repeat(size / 16))).map((b) => params(b))]),
    ],
  },
  {
    name: 'vF96: records of no request',
    protocol: fastcgi,
    side: 'server',
    chunks: (size) => [Buffer.concat(Array.from({ length: size }, () => record(5, 9)))],
  },
  {
    name: 'vF88: names that are numbers',
    protocol: fastcgi,
    side: 'server',
    chunks: (size) => [Buffer.concat([begin(), params(pairs(names(size))), params()])],
  },
  {
    name: 'GET_VALUES',
    protocol: fastcgi,
    side: 'server',
    chunks: (size) => [record(9, 0, Buffer.concat(Array.from({ length: size / 32 }, () => pair('FCGI_MAX_REQS', ''))))],
  },
  {
    name: 'a netstring that comes byte by byte',
    protocol: scgi,
    side: 'server',
    chunks: (size) => singleBytes(latin1(netstrings.netstring(`${line}HTTP_X\0${'v'.repeat(size)}\0`))),
  },
  {
    name: 'digits without end',
    protocol: scgi,
    side: 'server',
    chunks: (size) => singleBytes(latin1('1'.repeat(size))),
  },
  {
    name: 'a block that comes byte by byte',
    protocol: uwsgi,
    side: 'server',
    chunks: (size) => singleBytes(packets.get('HTTP_X', 'v'.repeat(size))),
  },
  {
    name: 'empty names and values',
    protocol: uwsgi,
    side: 'server',
    chunks: (size) => [packets.packet(packets.block(...Array.from({ length: size / 4 }, () => 'N')))],
  },
  {
    name: 'a packet that comes byte by byte',
    protocol: ajp,
    side: 'server',
    chunks: (size) => singleBytes(forward({ headers: ['host', 'a', 'x-a', 'v'.repeat(size)] })),
  },
  {
    name: 'a body in packets of one byte',
    protocol: ajp,
    side: 'server',
    chunks: (size) => {
      const head = forward({ method: 'POST', headers: ['content-length', String(size)] });
      return [Buffer.concat([head, ...Array.from({ length: size }, () => bodyPacket('x'))])];
    },
  },
  {
    name: 'CPING',
    protocol: ajp,
    side: 'server',
    chunks: (size) => [Buffer.concat(Array.from({ length: size }, () => CPING))],
  },
  {
    name: 'the head of a reply that comes byte by byte',
    protocol: fastcgi,
    side: 'client',
    chunks: (size) => singleBytes(record(6, 1, reply(size))),
  },
  {
    name: 'the head of a reply in records of one byte',
    protocol: fastcgi,
    side: 'client',
    chunks: (size) => [Buffer.concat(singleBytes(reply(size)).map((byte) => record(6, 1, byte)))],
  },
  { name: 'the head of a reply', protocol: scgi, side: 'client', chunks: (size) => singleBytes(reply(size)) },
  {
    name: 'interim heads and blanks',
    protocol: uwsgi,
    side: 'client',
    chunks: (size) =>
      singleBytes(latin1(`HTTP/1.1 103\r\nX:${' '.repeat(size)}v\r\n\r\nHTTP/1.1 200\r\nY:${'\t '.repeat(size / 2)}`)),
  },
  {
    name: 'chunks of one byte',
    protocol: ajp,
    side: 'client',
    chunks: (size) => [
      Buffer.concat([container.headers(), ...Array.from({ length: size }, () => container.chunk('x'))]),
    ],
  },
  {
    name: 'the head of a reply that comes byte by byte',
    protocol: ajp,
    side: 'client',
    chunks: (size) => singleBytes(container.headers([['X', 'v'.repeat(size)]])),
  },
];

describe.each(shapes.map((shape) => [`${shape.protocol.name} ${shape.side}`, shape.name, shape] as const))(
  '%s',
  (_, name, shape) => {
    it(`${name}: four times the bytes cost four times as much, and no more`, () => {
      const [small, large] = [4096, 16_384].map((size) => spent(shape.protocol, shape.side, shape.chunks(size)));
      for (const what of ['calls', 'bytes', 'allocated'] as const) {
        // what is paid once, whatever the size, is small beside either
        expect([what, large[what] <= small[what] * 4.2 + 40_000]).toEqual([what, true]);
      }
    });
  },
);

describe('floods', () => {
  it('vF96: a million records of no request break the connection at the limit, whatever stands behind them', () => {
    const flood = Buffer.alloc(8_000_000, record(5, 9));
    const connection = fastcgi.server(limitsWith());
    const { result, cost } = measured(() => feed(connection, [flood]));
    expect(result).toBe('ERR_FCGI_JUNK');
    expect(cost.calls).toBeLessThan(200);
    expect(cost.bytes + cost.allocated).toBeLessThan(1000);
  });

  it('F19: a mebibyte of a body that comes byte by byte is copied a few times at most', () => {
    const size = 1 << 20;
    const head = Buffer.concat([begin(), params(pairs({ ...post, CONTENT_LENGTH: String(size) })), params()]);
    const records = Array.from({ length: 16 }, () => record(5, 1, Buffer.alloc(size / 16 - 1)));
    const connection = fastcgi.server(limitsWith());
    const byte = Buffer.of(0);
    const { cost } = measured(() => {
      feed(connection, [head]);
      for (const one of records) {
        feed(connection, [one.subarray(0, 8)]);
        for (let at = 8; at < one.length; at++) {
          byte[0] = one[at];
          feed(connection, [byte]);
        }
      }
    });
    expect(cost.bytes).toBeLessThan(4 * size);
    expect(cost.calls).toBeLessThan(16 * size);
  });
});
