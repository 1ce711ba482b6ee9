import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { type LogEntry, Server } from '@postern/server';
import { fiveProtocols, type OneOfFive, randomNumbers, replyInFive, requestInFive, until } from '@postern/testkit';
import { knownProtocols, protocolOf } from '../src/protocols.ts';

type Port = OneOfFive | 'auto';

/** Deterministic noise. */
function noise(): Buffer {
  const next = randomNumbers(7);
  return Buffer.from(Array.from({ length: 4096 }, () => next() & 255));
}

const spoken: Readonly<Record<string, Buffer>> = {
  ...Object.fromEntries(fiveProtocols.map((name) => [name, requestInFive(name, '/', 'body')])),
  TLS: Buffer.from('16030101fe010001fa0303', 'hex'),
  'PROXY v1': Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  'PROXY v2': Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000201c000020204d20050', 'hex'),
  SSH: Buffer.from('SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n'),
  'HTTP/2': Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'),
  zeros: Buffer.alloc(65_536),
  'bytes of 0xff': Buffer.alloc(65_536, 0xff),
  noise: noise(),
};

/** How the log calls it; the others are nobody's. */
const titles: Readonly<Record<string, string>> = {
  fastcgi: 'FastCGI',
  scgi: 'SCGI',
  ajp: 'AJP',
  uwsgi: 'uwsgi',
  http: 'HTTP',
  TLS: 'TLS',
  'PROXY v1': 'PROXY protocol',
  'PROXY v2': 'PROXY protocol',
  SSH: 'SSH',
  'HTTP/2': 'HTTP/2',
};

const ports = [...fiveProtocols, 'auto'] as const;
const logs: LogEntry[] = [];
const numbers = new Map<Port, number>();
let dispatched = 0;
let server: Server;

beforeAll(async () => {
  server = new Server(
    (exchange) => {
      dispatched++;
      exchange.respond(200, 'OK', [], 'served');
    },
    // what stays undecided is closed within the patience of a test
    { limits: limitsWith({ headersTimeout: 1000 }), known: await knownProtocols(), log: (entry) => logs.push(entry) },
  );
  for (const port of ports) {
    const bound = await server.listen(await protocolOf(port, {}), { transport: 'tcp', host: '127.0.0.1', port: 0 });
    numbers.set(port, bound.transport === 'tcp' ? bound.port : 0);
  }
});
afterAll(() => server.close(0));

interface Outcome {
  readonly answer: Buffer;
  readonly logs: LogEntry[];
}

/** Sends in pieces of a size until the server closes, and gives what it wrote. */
async function send(port: Port, bytes: Buffer, size: number): Promise<Outcome> {
  const before = logs.length;
  const chunks: Buffer[] = [];
  let over = false;
  const socket = connect({ host: '127.0.0.1', port: numbers.get(port) as number, noDelay: true, allowHalfOpen: true });
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      over = true;
      resolve();
    };
    socket.on('end', end);
    socket.on('close', end);
  });
  for (let at = 0; at < bytes.length && !over; at += size) {
    socket.write(bytes.subarray(at, at + size));
    // a read of its own for each
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ended;
  socket.destroy();
  await until(
    () => server.connections,
    (count) => count === 0,
  );
  return { answer: Buffer.concat(chunks), logs: logs.slice(before) };
}

const pairs = ports.flatMap((port) =>
  Object.keys(spoken)
    .filter((name) => name !== port && !(port === 'auto' && fiveProtocols.includes(name as OneOfFive)))
    .map((name) => [name, port] as const),
);

describe.each(['whole', 'byte by byte'])('on the wrong port, %s', (way) => {
  it.each(pairs)('%s where %s is served is not', async (name, port) => {
    const bytes = way === 'whole' ? spoken[name] : spoken[name].subarray(0, 600);
    const { answer, logs: told } = await send(port, bytes, way === 'whole' ? bytes.length : 1);
    expect(dispatched).toBe(0);
    expect(answer.length).toBeLessThan(1024);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ level: 'warn', protocol: port });
    const title = titles[name];
    if (title === undefined) return;
    expect(told[0].code).toBe('ERR_WRONG_PROTOCOL');
    expect(told[0].message).toMatch(new RegExp(`^${title} on a port that (?:speaks ${port}|tells .* apart): \\w`));
    if (name === 'http') {
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 421 Misdirected Request\r\n/);
      expect(answer.toString()).toContain(`This port speaks ${port}, not HTTP.`);
    } else expect(answer).toHaveLength(0);
  });
});

it('on its own port each is served, and on that of auto', async () => {
  for (const protocol of fiveProtocols) {
    for (const port of [protocol, 'auto'] as const) {
      const chunks: Buffer[] = [];
      const socket = connect({ host: '127.0.0.1', port: numbers.get(port) as number });
      let ended = false;
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('end', () => {
        ended = true;
      });
      socket.write(spoken[protocol]);
      const reply = await until(
        () => replyInFive(protocol, Buffer.concat(chunks), ended),
        (answer) => answer !== undefined,
      );
      expect([port, reply]).toEqual([port, { status: 200, body: 'served' }]);
      socket.destroy();
    }
  }
  expect(dispatched).toBe(10);
});
