import { describe, expect, it } from '@jest/globals';
import { limitsWith, type PeerOptions } from '@postern/core';
import { converse, everyWay, outputText } from '@postern/testkit';
import { ajp } from '../src/index.ts';
import { asks, CHUNKED, head, OK, open, POST, readBody, reply, started, talk } from './harness.ts';
import { bodyPacket, END_CLOSE, forward, hex, readMessages, str } from './writer.ts';

const LARGE: PeerOptions = { packetSize: 65_536 };
const secret = (value: string): Buffer => Buffer.concat([hex('0c'), str(value)]);

describe('packetSize', () => {
  it('bounds a request: the largest is read, one byte more is refused', () => {
    const room = 65_536 - forward({ headers: ['X-A', ''] }).length;
    const largest = forward({ headers: ['X-A', 'x'.repeat(room)] });
    expect(largest.length).toBe(65_536);
    expect(converse(open(LARGE), [largest])).toMatchObject({ errors: [], output: OK });
    expect(converse(open(), [largest]).errors).toEqual(['ERR_AJP_PACKET 400 1']);
    for (const bytes of ['12 34 ff fd', '12 34 ff ff']) {
      const { asked, errors, output, close } = talk(hex(bytes), {}, LARGE);
      expect({ asked, errors, close }).toEqual({ asked: [], errors: ['ERR_AJP_PACKET 400 1'], close: 'fin' });
      expect(output.endsWith(END_CLOSE)).toBe(true);
    }
    expect(talk(hex('12 34 20 01'), {}, { packetSize: 8196 }).errors).toEqual(['ERR_AJP_PACKET 400 1']);
  });

  it.each([
    ['packetSize', 'a packet', hex('12 34 1f fd')],
    ['packetSize', 'a packet of a body', Buffer.concat([POST, hex('12 34 1f fd')])],
    ['maxEnvBytes', 'a request', forward({ headers: ['X-A', 'x'.repeat(1100)] })],
    ['maxEnvCount', 'header fields', forward({ headers: Array(6).fill('x') })],
    ['maxNameBytes', 'a name', forward({ headers: ['x'.repeat(51), ''] })],
    ['maxValueBytes', 'a value', forward({ headers: ['x', 'x'.repeat(51)] })],
  ])('is a limit as others are: the error names %s where %s is above it', (limit, _, bytes) => {
    const limits = limitsWith({ maxEnvBytes: 1024, maxEnvCount: 2, maxNameBytes: 50, maxValueBytes: 50 });
    const connection = ajp.server(limits);
    connection.receive(bytes);
    const read = (): void => {
      while (connection.next() !== undefined);
    };
    expect(read).toThrow(expect.objectContaining({ name: 'RemoteProtocolError', limit }));
  });

  it('bounds what is asked for, and the packets of a body', () => {
    const connection = started(CHUNKED, LARGE);
    connection.pull(1);
    expect(asks(outputText(connection))).toEqual([65_530]);
    connection.receive(bodyPacket(Buffer.alloc(65_530)));
    expect(readBody(connection, 1)).toEqual({ size: 65_530, ended: false });
    expect(asks(outputText(connection))).toEqual([65_530]);
    connection.receive(hex('12 34 ff fd'));
    expect(() => connection.next()).toThrow(expect.objectContaining({ code: 'ERR_AJP_PACKET', scope: 'connection' }));
  });

  it.each([65_528, 65_529, 200_000])('cuts a reply of %d bytes', (length) => {
    for (const whole of [true, false]) {
      const connection = started(forward(), LARGE);
      if (whole && length > 65_536) continue;
      if (whole) connection.send(reply(1, 'x'.repeat(length)));
      else {
        connection.send(head(1));
        connection.send({ type: 'data', id: 1, chunk: Buffer.alloc(length, 0x78) });
        connection.send({ type: 'end', id: 1 });
      }
      const messages = readMessages(outputText(connection), 65_536);
      const sizes = messages.flatMap((message) => (message.type === 'body' ? [message.text.length] : []));
      expect(sizes[0]).toBe(65_528);
      expect(sizes.length).toBe(Math.ceil(length / 65_528));
      expect(sizes.reduce((sum, size) => sum + size)).toBe(length);
    }
  });

  it('bounds the head of a reply', () => {
    const connection = started(forward(), LARGE);
    connection.send(head(1, 200, ['X-A', 'x'.repeat(60_000)]));
    expect(readMessages(outputText(connection), 65_536)).toMatchObject([{ type: 'headers', status: 200 }]);
    const small = started(forward());
    expect(() => small.send(head(1, 200, ['X-A', 'x'.repeat(60_000)]))).toThrow(/packetSize is 8192/);
  });

  it('of another size than AJP has is refused', () => {
    expect(() => open({ packetSize: 1000 })).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });
});

describe('a secret', () => {
  const peer = { secret: 'sesame' };

  it('that is right lets requests in, each by itself', () => {
    const right = forward({ attributes: [secret('sesame')] });
    expect(talk(right, {}, peer)).toMatchObject({ errors: [], output: OK, close: false });
    const connection = open(peer);
    expect(converse(connection, [right]).output).toBe(OK);
    expect(converse(connection, [forward()])).toMatchObject({ asked: [], errors: ['ERR_AJP_SECRET 403 2'] });
  });

  it.each([
    ['missing', []],
    ['wrong', [secret('Sesame')]],
    ['too short', [secret('sesam')]],
    ['empty', [secret('')]],
  ])('that is %s is answered 403, without the application, and the connection closes', (_, attributes) => {
    const post = forward({ method: 'POST', headers: ['content-length', '5'], attributes });
    const { asked, errors, output, close } = talk(Buffer.concat([post, bodyPacket('hello')]), {}, peer);
    expect({ asked, errors, close }).toEqual({ asked: [], errors: ['ERR_AJP_SECRET 403 1'], close: 'fin' });
    expect(readMessages(output)).toMatchObject([
      { type: 'headers', status: 403 },
      { type: 'end', reuse: false },
    ]);
  });

  it('is not asked of CPING, which Apache sends without', () => {
    expect(talk(hex('12 34 00 01 0a'), {}, peer).output).toBe('AB\x00\x01\x09');
  });

  it('that comes where none is set is let pass', () => {
    expect(talk(forward({ attributes: [secret('sesame')] }))).toMatchObject({ errors: [], output: OK });
  });
});

it('maxEnvBytes bounds a request as soon as its length is known', () => {
  const limits = limitsWith({ maxEnvBytes: 100 });
  const run = (bytes: Uint8Array) =>
    everyWay(bytes, (chunks) => {
      const { errors, close } = converse(ajp.server(limits), chunks);
      return { errors, close };
    });
  const room = 104 - forward({ headers: ['X-A', ''] }).length;
  expect(run(forward({ headers: ['X-A', 'x'.repeat(room)] }))).toEqual({ errors: [], close: false });
  expect(run(forward({ headers: ['X-A', 'x'.repeat(room + 1)] }).subarray(0, 5))).toEqual({
    errors: ['ERR_ENV_BYTES 431 1'],
    close: 'fin',
  });
});

it('REMOTE_USER reaches the application where the web server is trusted with it', () => {
  const bytes = forward({ attributes: [Buffer.concat([hex('03'), str('root')])] });
  const names = (peer?: PeerOptions) => talk(bytes, {}, peer).asked[0].variables;
  expect(names()).not.toContain('REMOTE_USER');
  expect(names({ trustRemoteUser: true })).toContain('REMOTE_USER');
});
