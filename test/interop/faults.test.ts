import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pair, portOf, record, type Served, servePostern, until } from '../../packages/testkit/src/index.ts';

/**
 * What goes wrong between a web server and an app, played by hand on the app's socket: each fault has the outcome that
 * its protocol can say, is logged once, and costs the next connection nothing.
 */

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

interface Wire {
  readonly listen: string;
  /** A request; with `length` it has a body of so many bytes, which does not come with it. */
  request(uri: string, length?: number): Buffer;
  /** Body bytes as they are sent. */
  body(bytes: Buffer): Buffer;
  /** Whether a reply is there whole. */
  complete(reply: Buffer, closed: boolean): boolean;
}

function requestVariables(uri: string, length: number | undefined): [string, string][] {
  const method = length === undefined ? 'GET' : 'POST';
  return [
    ['CONTENT_LENGTH', String(length ?? 0)],
    ['SCGI', '1'],
    ['REQUEST_METHOD', method],
    ['REQUEST_URI', uri],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
  ];
}

function ajpString(text: string): Buffer {
  return Buffer.concat([u16(text.length), latin1(`${text}\0`)]);
}

function u16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 255);
}

function u16le(value: number): Buffer {
  return Buffer.of(value & 255, value >> 8);
}

function ajpPacket(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0x12, 0x34), u16(payload.length), payload]);
}

/** @param secret attribute 12 */
function forwardRequest(uri: string, length?: number, secret?: string): Buffer {
  const headers = length === undefined ? [u16(0)] : [u16(1), u16(0xa008), ajpString(String(length))];
  return ajpPacket(
    Buffer.concat([
      Buffer.of(2, length === undefined ? 2 : 4),
      ...['HTTP/1.1', uri, '127.0.0.1', 'a', 'a'].map(ajpString),
      u16(80),
      Buffer.of(0),
      ...headers,
      ...(secret === undefined ? [] : [Buffer.of(12), ajpString(secret)]),
      Buffer.of(255),
    ]),
  );
}

const wires: Record<string, Wire> = {
  fastcgi: {
    listen: 'fastcgi://127.0.0.1:0',
    request: (uri, length) =>
      Buffer.concat([
        record(1, 1, Buffer.of(0, 1, 0, 0, 0, 0, 0, 0)),
        record(4, 1, Buffer.concat(requestVariables(uri, length).map(([name, value]) => pair(name, value)))),
        record(4, 1, ''),
        ...(length === undefined ? [record(5, 1, '')] : []),
      ]),
    body: (bytes) => record(5, 1, bytes),
    complete: (reply) => reply.length >= 16 && reply[reply.length - 15] === 3,
  },
  scgi: {
    listen: 'scgi://127.0.0.1:0',
    request(uri, length) {
      const block = requestVariables(uri, length)
        .flat()
        .map((text) => `${text}\0`)
        .join('');
      return latin1(`${block.length}:${block},`);
    },
    body: (bytes) => bytes,
    complete: (_, closed) => closed,
  },
  uwsgi: {
    listen: 'uwsgi://127.0.0.1:0',
    request(uri, length) {
      const items = requestVariables(uri, length).flatMap((one) =>
        one.flatMap((text) => [u16le(text.length), latin1(text)]),
      );
      const block = Buffer.concat(items);
      return Buffer.concat([Buffer.of(0), u16le(block.length), Buffer.of(0), block]);
    },
    body: (bytes) => bytes,
    complete: (_, closed) => closed,
  },
  ajp: {
    listen: 'ajp://127.0.0.1:0',
    request: (uri, length) => forwardRequest(uri, length),
    body: (bytes) => ajpPacket(Buffer.concat([u16(bytes.length), bytes])),
    complete: (reply) => reply.includes(Buffer.of(0x41, 0x42, 0, 2, 5)),
  },
};

interface Peer {
  readonly socket: Socket;
  received(): Buffer;
  /** 'open', 'fin' or the code of the error that ended it. */
  ended(): string;
}

function open(address: string): Peer {
  const socket = connect({ host: '127.0.0.1', port: portOf(address), allowHalfOpen: true });
  const chunks: Buffer[] = [];
  let end = 'open';
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('end', () => {
    end = 'fin';
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end = error.code ?? 'error';
  });
  return { socket, received: () => Buffer.concat(chunks), ended: () => end };
}

let app: Served;
const addresses = new Map<string, string>();
let secured: Served;

beforeAll(async () => {
  const names = Object.keys(wires);
  app = await servePostern(
    'test/fixtures/plain.mjs',
    names.map((name) => wires[name].listen),
  );
  app.addresses.forEach((address, i) => {
    addresses.set(names[i], address);
  });
  const env = { ...process.env, AJP_SECRET: 'open sesame' };
  secured = await servePostern('test/fixtures/plain.mjs', ['ajp://127.0.0.1:0'], { env });
});

afterAll(async () => {
  expect((await app.child.stop()).code).toBe(0);
  expect((await secured.child.stop()).code).toBe(0);
});

/** The lines that the server logged since then. */
function logged(served: Served, from: number): string[] {
  return served.child.output().slice(from).split('\n').filter(Boolean);
}

describe.each(Object.entries(wires))('over %s', (name, wire) => {
  const address = () => addresses.get(name) as string;

  async function ask(uri: string): Promise<string> {
    const peer = open(address());
    peer.socket.write(wire.request(uri));
    await until(
      () => wire.complete(peer.received(), peer.ended() === 'fin'),
      (complete) => complete,
    );
    peer.socket.destroy();
    return peer.received().toString('latin1');
  }

  async function leftSoFar(): Promise<number> {
    return Number(/"left":(\d+)/.exec(await ask('/left'))?.[1]);
  }

  it('a front-end that goes away within the body of a request is no error, and the next one is served', async () => {
    const from = app.child.output().length;
    const peer = open(address());
    peer.socket.write(Buffer.concat([wire.request('/hash', 100_000), wire.body(Buffer.alloc(1000))]));
    await until(
      () => peer.socket.bytesWritten,
      (bytes) => bytes > 1000,
    );
    peer.socket.resetAndDestroy();
    expect(await ask('/next')).toContain('"url":"/next"');
    expect(logged(app, from)).toEqual([]);
  });

  it('a front-end that goes away within the reply is heard of', async () => {
    const before = await leftSoFar();
    const peer = open(address());
    peer.socket.write(wire.request('/wait'));
    await until(
      () => peer.received().includes('waiting'),
      (there) => there,
    );
    peer.socket.destroy();
    await until(leftSoFar, (left) => left === before + 1);
  });

  it('an app that breaks its reply off does not end it as if it were whole', async () => {
    const peer = open(address());
    peer.socket.write(wire.request('/throw-when-told'));
    // a reset that comes together with the first bytes may be taken for an end, by libuv too: so they are read before
    await until(
      () => peer.received().includes('begun'),
      (there) => there,
    );
    await ask('/tell');
    await until(
      () => peer.ended(),
      (ended) => ended !== 'open',
    );
    peer.socket.destroy();
    const reply = peer.received();
    // FastCGI says it by a header of version 0, which comes together with the reset
    if (name === 'fastcgi') expect(reply.subarray(-8)).toEqual(Buffer.alloc(8));
    else expect(peer.ended()).toBe('ECONNRESET');
    if (name === 'fastcgi' || name === 'ajp') expect(wire.complete(reply, false)).toBe(false);
  });

  it('bytes that are no request close the connection with one line, and nothing is written', async () => {
    const from = app.child.output().length;
    const peer = open(address());
    peer.socket.write(latin1('\xff\xff\xff\xff\xff\xff\xff\xff'));
    await until(
      () => peer.ended(),
      (ended) => ended !== 'open',
    );
    peer.socket.destroy();
    const lines = logged(app, from);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(new RegExp(`^warn event=protocol_error proto=${name} rule=ERR_`));
    // uwsgi has a header that can be read, and says 501 in its own terms
    expect(peer.received().toString('latin1')).toMatch(name === 'uwsgi' ? /^HTTP\/1\.1 501 / : /^$/);
    expect(await ask('/next')).toContain('"url":"/next"');
  });

  it('a head that is larger than the limit is refused with a status, where the length is known before', async () => {
    const peer = open(address());
    const large = name === 'ajp' ? ajpPacket(Buffer.alloc(8189)) : wire.request(`/${'x'.repeat(70_000)}`);
    // the lengths of uwsgi end at 65,535
    peer.socket.write(name === 'uwsgi' ? wire.request(`/${'x'.repeat(60_000)}`) : large);
    await until(
      () => peer.ended(),
      (ended) => ended !== 'open',
    );
    peer.socket.destroy();
    const expected = { fastcgi: / 431 /, scgi: / 431 /, uwsgi: / 200 /, ajp: /AB..\x04\x01\x90/ }[name] as RegExp;
    expect(peer.received().toString('latin1')).toMatch(expected);
    expect(await ask('/next')).toContain('"url":"/next"');
  });
});

describe('AJP with a secret', () => {
  async function statusFor(secret: string | undefined): Promise<{ reply: string; ended: string }> {
    const peer = open(secured.addresses[0]);
    peer.socket.write(forwardRequest('/', undefined, secret));
    await until(
      () => wires.ajp.complete(peer.received(), false),
      (complete) => complete,
    );
    const result = { reply: peer.received().toString('latin1'), ended: peer.ended() };
    peer.socket.destroy();
    return result;
  }

  it('serves who has it', async () => {
    expect((await statusFor('open sesame')).reply).toMatch(/^AB..\x04\x00\xc8/s);
  });

  it.each([
    ['none', undefined],
    ['another', 'open barley'],
    ['a part of it', 'open'],
    ['an empty one', ''],
  ])('answers 403 to %s, logs one line without it, and does not go on', async (_, secret) => {
    const from = secured.child.output().length;
    const { reply } = await statusFor(secret);
    expect(reply).toMatch(/^AB..\x04\x01\x93/s);
    // END_RESPONSE with reuse 0
    expect(reply.endsWith('AB\x00\x02\x05\x00')).toBe(true);
    const lines = logged(secured, from);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('rule=ERR_AJP_SECRET');
    expect(lines[0]).not.toContain('sesame');
    if (secret) expect(lines[0]).not.toContain(secret);
  });
});
