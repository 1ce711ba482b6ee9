import { describe, expect, it } from '@jest/globals';
import { converse, outputText, type Play } from '@postern/testkit';
import { asks, CHUNKED, head, LAST, OK, open, POST, readBody, reply, started, talk } from './harness.ts';
import { bodyPacket, EMPTY, forward, hex, packet, readMessages } from './writer.ts';

describe('a body with Content-Length', () => {
  it('comes in its first packet unasked', () => {
    const { asked, output } = talk(Buffer.concat([POST, hex('12 34 00 07 00 05 68 65 6C 6C 6F')]));
    expect(asked).toMatchObject([{ body: 'hello', ended: 'end' }]);
    expect(output).toBe(OK);
  });

  it('is asked for piece by piece, and never for more than is left', () => {
    const connection = started(forward({ method: 'POST', headers: ['content-length', '20000'] }));
    connection.pull(1);
    expect(outputText(connection)).toBe('');
    connection.receive(bodyPacket(Buffer.alloc(8186)));
    expect(readBody(connection, 1)).toEqual({ size: 8186, ended: false });
    connection.pull(1);
    expect(asks(outputText(connection))).toEqual([8186]);
    connection.receive(bodyPacket(Buffer.alloc(8186)));
    expect(readBody(connection, 1)).toEqual({ size: 8186, ended: false });
    expect(asks(outputText(connection))).toEqual([3628]);
    connection.receive(bodyPacket(Buffer.alloc(3628)));
    expect(readBody(connection, 1)).toEqual({ size: 3628, ended: true });
    connection.pull(1);
    expect(outputText(connection)).toBe('');
    connection.send(reply(1));
    expect(outputText(connection)).toBe(OK);
  });

  it('is asked of lighttpd in larger pieces, which come in several packets', () => {
    const request = forward({ method: 'POST', headers: ['content-length', '100000'] });
    const connection = started(request, { peer: 'lighttpd' });
    const send = (size: number): number => {
      connection.receive(packet(Buffer.alloc(size)));
      const { size: read } = readBody(connection, 1);
      return read;
    };
    expect(send(8188)).toBe(8188);
    connection.pull(1);
    expect(asks(outputText(connection))).toEqual([65_535]);
    for (let i = 0; i < 8; i++) {
      expect(send(8188)).toBe(8188);
      // what was asked for is still on its way
      expect(asks(outputText(connection))).toEqual([]);
    }
    expect(send(65_535 - 8 * 8188)).toBe(31);
    expect(asks(outputText(connection))).toEqual([100_000 - 8188 - 65_535]);
  });

  it('is asked of lighttpd again where a packet overtook what asks for it', () => {
    const connection = started(forward({ method: 'POST', headers: ['content-length', '100000'] }), {
      peer: 'lighttpd',
    });
    for (let i = 0; i < 3; i++) {
      connection.receive(packet(Buffer.alloc(100)));
      expect(readBody(connection, 1)).toEqual({ size: 100, ended: false });
    }
    expect(asks(outputText(connection))).toEqual([65_535]);
  });

  it.each(['apache', 'lighttpd'])('is not asked for twice where a packet overtook what asks for it (%s)', (peer) => {
    const connection = started(forward({ method: 'POST', headers: ['content-length', '100000'] }), { peer });
    const bytes = Buffer.alloc(100);
    for (let i = 0; i < 2; i++) {
      connection.pull(1);
      connection.receive(peer === 'lighttpd' ? packet(bytes) : bodyPacket(bytes));
      expect(connection.next()).toMatchObject({ type: 'data' });
    }
    expect(outputText(connection)).toBe('');
    connection.pull(1);
    expect(asks(outputText(connection)).length).toBe(1);
  });

  it('is not asked for by another request, nor behind the reply', () => {
    const connection = started(CHUNKED);
    connection.pull(2);
    expect(outputText(connection)).toBe('');
    connection.send(reply(1));
    connection.pull(1);
    expect(outputText(connection)).toBe(OK);
    expect(connection.blocker).toBe(0);
  });

  it('is not asked for until somebody wants it', () => {
    const connection = started(forward({ method: 'POST', headers: ['content-length', '20000'] }));
    connection.receive(bodyPacket(Buffer.alloc(8186)));
    expect(connection.next()).toMatchObject({ type: 'data' });
    expect(connection.next()).toBeUndefined();
    expect(outputText(connection)).toBe('');
  });

  it('of 0, and none at all, is complete at once and never asked for', () => {
    for (const headers of [['content-length', '0'], []]) {
      const { asked, output } = talk(forward({ method: 'POST', headers }), { answer: 'head' });
      expect(asked).toMatchObject([{ body: '', ended: 'end' }]);
      expect(output).toBe(OK);
    }
  });

  it.each([
    ['an inner length above the payload', '12 34 00 05 00 05 61 62 63'],
    ['an inner length below the payload', '12 34 00 05 00 01 61 62 63'],
    ['no inner length', '12 34 00 03 61 3d 31'],
    ['half an inner length', '12 34 00 01 00'],
    ['more bytes than Content-Length', '12 34 00 08 00 06 61 62 63 64 65 66'],
    ['a payload above the packet size', '12 34 1f fd'],
    ['the magic of the other direction', '41 42 00 07 00 05 68 65 6C 6C 6F'],
  ])('that has %s breaks the connection, without a byte', (_, bytes) => {
    const { asked, errors, output, close } = talk(Buffer.concat([POST, hex(bytes)]));
    expect(asked).toMatchObject([{ body: '', ended: undefined }]);
    expect({ errors, output, close }).toEqual({ errors: ['ERR_AJP_PACKET'], output: '', close: 'reset' });
  });

  it.each([
    ['an empty packet', EMPTY],
    ['an inner length of 0', bodyPacket('')],
  ])('that ends early with %s is short, and the reply closes the connection', (_, bytes) => {
    const { asked, output, close } = talk(Buffer.concat([POST, bytes]));
    expect(asked).toMatchObject([{ ended: 'ERR_BODY_SHORT' }]);
    expect(readMessages(output)).toMatchObject([
      { type: 'headers', status: 400 },
      { type: 'end', reuse: false },
    ]);
    expect(close).toBe('fin');
  });

  it('may come in larger pieces than were asked for', () => {
    const connection = started(forward({ method: 'POST', headers: ['content-length', '8286'] }));
    connection.receive(bodyPacket(Buffer.alloc(100)));
    expect(readBody(connection, 1).size).toBe(100);
    connection.receive(bodyPacket(Buffer.alloc(8186)));
    expect(readBody(connection, 1)).toEqual({ size: 8186, ended: true });
  });
});

describe('a chunked body', () => {
  it.each([
    ['an empty packet', EMPTY],
    ['an inner length of 0', hex('12 34 00 02 00 00')],
  ])('is asked for until it ends with %s, then no more', (_, end) => {
    const connection = started(CHUNKED);
    expect(outputText(connection)).toBe('');
    connection.pull(1);
    for (const piece of ['hello', 'world']) {
      expect(asks(outputText(connection))).toEqual([8186]);
      connection.receive(bodyPacket(piece));
      expect(readBody(connection, 1)).toEqual({ size: 5, ended: false });
    }
    expect(asks(outputText(connection))).toEqual([8186]);
    connection.receive(end);
    expect(readBody(connection, 1)).toEqual({ size: 0, ended: true });
    connection.pull(1);
    connection.send(reply(1));
    expect(outputText(connection)).toBe(OK);
  });

  it('that comes unasked breaks the connection', () => {
    const connection = started(CHUNKED);
    connection.receive(bodyPacket('x'));
    expect(() => connection.next()).toThrow(expect.objectContaining({ code: 'ERR_AJP_MESSAGE', scope: 'connection' }));
    expect(connection.wantsClose).toBe('reset');
  });
});

describe('a body that the application does not read', () => {
  const forged = packet(bodyPacket(forward()).subarray(4));

  it('is thrown away before the connection goes on: it is never taken for a request', () => {
    const request = forward({ method: 'POST', headers: ['content-length', String(forward().length)] });
    const connection = open();
    const play: Play = { answer: 'head' };
    const first = converse(connection, [Buffer.concat([request, forged])], play);
    expect({ asked: first.asked.length, output: first.output }).toEqual({ asked: 1, output: OK });
    const second = converse(connection, [forward({ uri: '/next' })], play);
    expect(second.asked).toMatchObject([{ id: 2, head: { target: '/next' } }]);
  });

  it('and that has not come closes the connection behind the reply', () => {
    const request = forward({ method: 'POST', headers: ['content-length', String(forward().length)] });
    const { asked, output, close } = converse(open(), [request, forged], { answer: 'head' });
    expect({ asked: asked.length, output, close }).toEqual({ asked: 1, output: LAST, close: 'fin' });
  });

  it('keeps the connection where no packet of it is on its way', () => {
    const connection = started(forward({ method: 'POST', headers: ['content-length', '1073741824'] }));
    connection.receive(bodyPacket(Buffer.alloc(8186)));
    expect(connection.next()).toMatchObject({ type: 'data' });
    connection.send(reply(1));
    expect(outputText(connection)).toBe(OK);
  });

  it('keeps the connection where what was asked has not gone out', () => {
    const connection = started(CHUNKED);
    connection.pull(1);
    connection.send(reply(1));
    expect(outputText(connection)).toBe(OK);
  });

  it('closes the connection where an answer to GET_BODY_CHUNK is on its way', () => {
    const connection = started(CHUNKED);
    connection.pull(1);
    expect(asks(outputText(connection))).toEqual([8186]);
    connection.send(reply(1));
    expect(outputText(connection)).toBe(LAST);
    connection.receive(bodyPacket('late'));
    expect(connection.next()).toBeUndefined();
    connection.pull(1);
    expect(outputText(connection)).toBe('');
  });

  it('is thrown away while a streamed reply still goes out', () => {
    const connection = started(POST);
    connection.send(head(1));
    connection.send({ type: 'end', id: 1 });
    connection.receive(bodyPacket('hello'));
    expect(connection.next()).toBeUndefined();
    expect(readMessages(outputText(connection)).at(-1)).toEqual({ type: 'end', reuse: true });
  });
});
