import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { Server } from '@postern/server';
import { fiveProtocols, type OneOfFive, randomNumbers, replyInFive, requestInFive, until } from '@postern/testkit';
import { knownProtocols, protocolOf } from '../../../packages/postern/src/protocols.ts';

/** Deterministic noise, as /dev/urandom would have it. */
function noise(seed: number): Buffer {
  const next = randomNumbers(seed);
  return Buffer.from(Array.from({ length: 65_536 }, () => next() & 255));
}

const spoken: Readonly<Record<string, Buffer>> = {
  'an HTTP request': requestInFive('http', '/', 'body'),
  'a FastCGI request': requestInFive('fastcgi', '/', 'body'),
  'an SCGI request': requestInFive('scgi', '/', 'body'),
  'an AJP request': requestInFive('ajp', '/', 'body'),
  'a uwsgi request': requestInFive('uwsgi', '/', 'body'),
  'a TLS ClientHello': Buffer.from(
    '160301007b0100007703036f77a1fb2b1d9ac19de1e03a8c5e6a1b7a2c8f0d4e9b3c5d7f1a3b5c7d9e1f300000081301130200ff01000046',
    'hex',
  ),
  'PROXY v1': Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  'PROXY v2': Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000201c000020204d20050', 'hex'),
  'an SSH banner': Buffer.from('SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n'),
  'an HTTP/2 preface': Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1'),
  '64 KiB of zeros': Buffer.alloc(65_536),
  '64 KiB of 0xff': Buffer.alloc(65_536, 0xff),
  'random bytes (1)': noise(1),
  'random bytes (2)': noise(2),
  'random bytes (3)': noise(3),
};

const ports = [...fiveProtocols, 'auto'] as const;
type Port = (typeof ports)[number];
const own: Readonly<Record<OneOfFive, string>> = {
  http: 'an HTTP request',
  fastcgi: 'a FastCGI request',
  scgi: 'an SCGI request',
  ajp: 'an AJP request',
  uwsgi: 'a uwsgi request',
};

const numbers = new Map<Port, number>();
let dispatched = 0;
let server: Server;

beforeAll(async () => {
  server = new Server(
    (exchange) => {
      dispatched++;
      exchange.respond(200, 'OK', [], 'served');
    },
    // who says half of something is waited for, and not for long here
    { limits: limitsWith({ headersTimeout: 1000 }), known: await knownProtocols(), log: () => {} },
  );
  for (const port of ports) {
    const bound = await server.listen(await protocolOf(port, {}), { transport: 'tcp', host: '127.0.0.1', port: 0 });
    numbers.set(port, bound.transport === 'tcp' ? bound.port : 0);
  }
});
afterAll(() => server.close(0));

/** All that a listener writes until it closes. */
async function answerTo(port: Port, bytes: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const socket = connect({ host: '127.0.0.1', port: numbers.get(port) as number, allowHalfOpen: true });
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.write(bytes);
  await new Promise<unknown>((resolve) => socket.on('end', resolve).on('close', resolve));
  socket.destroy();
  await until(
    () => server.connections,
    (count) => count === 0,
  );
  return Buffer.concat(chunks);
}

/** The status of what was written; 0: nothing was. */
function statusOf(port: Port, answer: Buffer): number | undefined {
  if (answer.length === 0) return 0;
  if (answer.toString('latin1').startsWith('HTTP/1.1 ')) return Number(answer.toString('latin1', 9, 12));
  return replyInFive(port === 'auto' ? 'http' : port, answer, true)?.status;
}

const pairs = ports.flatMap((port) =>
  Object.keys(spoken)
    .filter((name) => (port === 'auto' ? !Object.values(own).includes(name) : own[port] !== name))
    .map((name) => [name, port] as const),
);

describe('first bytes of something else', () => {
  it.each(pairs)('wrong port: %s where %s is served', async (name, port) => {
    const answer = await answerTo(port, spoken[name]);
    expect(dispatched).toBe(0);
    expect(answer.length).toBeLessThanOrEqual(1024);
    // closed without a byte, or refused in the protocol that is served; in HTTP where that was spoken
    const status = statusOf(port, answer);
    expect([0, 400, 403, 408, 421, 431, 501]).toContain(status);
    if (name === own.http && port !== 'http') expect(status).toBe(421);
  });

  it('wrong port: each request is served where it belongs, and where the first bytes tell', async () => {
    for (const protocol of fiveProtocols) {
      for (const port of [protocol, 'auto'] as const) {
        const chunks: Buffer[] = [];
        const socket = connect({ host: '127.0.0.1', port: numbers.get(port) as number });
        let ended = false;
        socket.on('data', (chunk) => chunks.push(chunk));
        socket.on('end', () => {
          ended = true;
        });
        socket.write(spoken[own[protocol]]);
        const reply = await until(
          () => replyInFive(protocol, Buffer.concat(chunks), ended),
          (answer) => answer !== undefined,
        );
        expect([port, reply]).toEqual([port, { status: 200, body: 'served' }]);
        socket.destroy();
      }
    }
    expect(dispatched).toBe(10);
    dispatched = 0;
  });
});
