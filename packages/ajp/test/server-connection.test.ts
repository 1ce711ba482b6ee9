import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { converse, cutAt, outputText } from '@postern/testkit';
import fc from 'fast-check';
import { ajp } from '../src/index.ts';
import { BROKEN_MESSAGE, BROKEN_PACKET, CHUNKED, LAST, OK, open, POST, reply, started, talk } from './harness.ts';
import { bodyPacket, CPING, EMPTY, END_CLOSE, forward, hex, packet, readMessages, str } from './writer.ts';

describe('a request', () => {
  it('is read from the bytes of the protocol, and the connection is kept', () => {
    const baseline = hex(
      '12 34 00 2f 02 02 00 08 48 54 54 50 2f 31 2e 31 00 00 01 2f 00 00 09 31 32 37 2e 30 2e 30 2e 31 00 ff ff 00 01 61 00 00 50 00 00 01 a0 0b 00 01 61 00 ff',
    );
    expect(forward()).toEqual(baseline);
    const { asked, output, close } = talk(baseline);
    expect(asked).toMatchObject([{ id: 1, role: 'responder', ended: 'end', head: { method: 'GET', target: '/' } }]);
    expect(output).toBe(OK);
    expect(close).toBe(false);
  });

  it('with a query has it in its target', () => {
    const bytes = hex('12 34 00 41 02 02')
      .toString('latin1')
      .concat('\x00\x08HTTP/1.1\x00\x00\x02/a\x00\x00\x09127.0.0.1\x00\xff\xff\x00\x06x.test\x00\x00\x50\x00\x00\x01')
      .concat('\xa0\x0b\x00\x06x.test\x00\x05\x00\x03q=1\x00\xff');
    expect(bytes.length).toBe(69);
    expect(talk(Buffer.from(bytes, 'latin1')).asked).toMatchObject([{ head: { target: '/a?q=1' } }]);
  });

  it('may come behind another, and has an id of its own', () => {
    const connection = open();
    for (const bytes of [forward(), CPING, forward({ method: 'HEAD' }), POST, bodyPacket('hello'), forward()]) {
      connection.receive(bytes);
      for (let event = connection.next(); event !== undefined; event = connection.next()) {
        if (event.type === 'end' || (event.type === 'request' && event.ended)) connection.send(reply(event.id));
      }
      const expected = bytes === CPING ? 'AB\x00\x01\x09' : bytes === POST ? '' : OK;
      expect(outputText(connection)).toBe(expected);
    }
    expect(connection.idle).toBe(true);
  });

  it('of the largest size is read; one byte more is refused, with a reply that closes', () => {
    const room = 8192 - forward({ headers: ['X-A', ''] }).length;
    const largest = forward({ headers: ['X-A', 'x'.repeat(room)] });
    expect(largest.length).toBe(8192);
    expect(converse(open(), [largest]).asked.length).toBe(1);
    for (const bytes of ['12 34 1f fd', '12 34 ff ff']) {
      const { asked, errors, output, close } = talk(hex(bytes));
      expect({ asked, errors, close }).toEqual({ asked: [], errors: ['ERR_AJP_PACKET 400 1'], close: 'fin' });
      expect(readMessages(output)).toMatchObject([
        { type: 'headers', status: 400 },
        { type: 'end', reuse: false },
      ]);
    }
  });

  it('that is malformed is refused once, and nothing behind it is read', () => {
    const twice = hex(
      '12 34 00 44 02 02 00 08 48 54 54 50 2f 31 2e 31 00 00 01 2f 00 00 09 31 32 37 2e 30 2e 30 2e 31 00 ff ff 00 01 61 00 00 50 00 00 02 a0 08 00 01 35 00 00 0e 63 6f 6e 74 65 6e 74 2d 6c 65 6e 67 74 68 00 00 01 35 00 ff',
    );
    const { asked, errors, output, close } = talk(Buffer.concat([twice, bodyPacket('12345'), forward()]));
    expect({ asked, errors, close }).toEqual({ asked: [], errors: ['ERR_AJP_BODY 400 1'], close: 'fin' });
    expect(readMessages(output)).toMatchObject([
      { type: 'headers', status: 400 },
      { type: 'end', reuse: false },
    ]);
  });

  it('with a request attribute that is not let in is answered 403', () => {
    const attribute = Buffer.concat([hex('0a'), str('javax.servlet.include.request_uri'), str('/WEB-INF/web.xml')]);
    const { errors, output } = talk(forward({ attributes: [attribute] }));
    expect(errors).toEqual(['ERR_AJP_ATTRIBUTE 403 1']);
    expect(output.endsWith(END_CLOSE)).toBe(true);
  });

  it('of any headers and body is read the same wherever it is cut', () => {
    const name = fc.stringMatching(/^x-[a-z]{1,8}$/);
    const value = fc.stringMatching(/^[\x20-\xff]{0,30}$/);
    const extras = fc.array(fc.tuple(name, value), { maxLength: 10 });
    const target = fc.stringMatching(/^\/[!-~]{0,20}$/);
    const method = fc.constantFrom('GET', 'POST', 'PATCH', 'MKCOL');
    const body = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(method, target, extras, body, fc.array(fc.nat(700)), (method, uri, pairs, body, places) => {
        const headers = ['host', 'a', 'content-length', String(body.length), ...pairs.flat()];
        const request = forward({ method, uri, headers });
        const input = body.length === 0 ? request : Buffer.concat([request, bodyPacket(body)]);
        const { asked, output } = converse(open(), cutAt(input, places));
        expect(asked).toMatchObject([
          { head: { method, target: uri }, body: Buffer.from(body).toString('latin1'), ended: 'end' },
        ]);
        const stated = body.length > 0 || method === 'POST' || method === 'PATCH' || method === 'MKCOL';
        expect(asked[0].head.headers()).toEqual(stated ? headers : ['host', 'a', ...pairs.flat()]);
        expect(output).toBe(OK);
      }),
    );
  });
});

describe('CPING', () => {
  it('is answered, and the connection stays usable', () => {
    const connection = open();
    expect(converse(connection, [CPING]).output).toBe('AB\x00\x01\x09');
    expect(converse(connection, [forward()]).output).toBe(OK);
    expect(talk(CPING)).toEqual({ asked: [], errors: [], output: 'AB\x00\x01\x09', close: false });
  });

  it('with a byte more closes the connection', () => {
    expect(talk(hex('12 34 00 02 0a 00'))).toEqual(BROKEN_MESSAGE);
  });

  it('that is not read for ever is no longer read', () => {
    const connection = ajp.server(limitsWith({ maxManagementMessages: 1_000_000 }));
    const flood = Buffer.concat(Array.from({ length: 10_000 }, () => CPING));
    while (connection.wantsRead) {
      connection.receive(flood);
      expect(connection.next()).toBeUndefined();
    }
    expect(outputText(connection).length).toBeLessThan(65_536 + flood.length);
    expect(connection.wantsRead).toBe(true);
  });
});

describe('a flood of CPINGs', () => {
  const pings = (count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => CPING));

  it('ends at maxManagementMessages', () => {
    const connection = open();
    expect(converse(connection, [pings(100)])).toMatchObject({ errors: [], close: false });
    connection.receive(CPING);
    expect(() => connection.next()).toThrow(/more than 100 CPINGs without a request/);
    expect([outputText(connection), connection.wantsClose]).toEqual(['', 'reset']);
  });

  it('begins anew with a request, in front of which some web servers send one, and by the clock', () => {
    const connection = open();
    for (let i = 0; i < 3; i++) {
      expect(converse(connection, [pings(100), forward()])).toMatchObject({ errors: [], close: false });
      converse(connection, [pings(100)]);
      connection.renewBudgets?.();
    }
    expect(converse(connection, [pings(101)]).errors).toEqual(['ERR_FLOOD']);
  });
});

describe('a message that is not allowed', () => {
  it.each([0, 1, 3, 4, 5, 6, 7, 8, 9, 11, 255])('of type %d closes the connection, without a byte', (type) => {
    expect(talk(packet(Buffer.from([type])))).toEqual(BROKEN_MESSAGE);
  });

  it.each(['12 35', '41 42', '47 45 54 20', '16 03 01 02'])('that begins with %s closes the connection', (bytes) => {
    expect(talk(hex(bytes))).toEqual(BROKEN_PACKET);
  });

  it('that ends within a packet closes the connection', () => {
    expect(talk(forward().subarray(0, 20), { fin: true })).toEqual(BROKEN_PACKET);
    expect(talk(hex('12'), { fin: true })).toEqual(BROKEN_PACKET);
  });

  it('may be anything: an event or a RemoteProtocolError, nothing else', () => {
    const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.concat([hex('1234'), bytes]));
    const near = fc
      .tuple(
        fc.constantFrom(
          forward(),
          Buffer.concat([POST, bodyPacket('hello')]),
          Buffer.concat([CHUNKED, bodyPacket('x'), EMPTY]),
        ),
        fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { maxLength: 3 }),
      )
      .map(([bytes, edits]) => {
        const mutated = Buffer.from(bytes);
        for (const [at, byte] of edits) mutated[at % mutated.length] = byte;
        return mutated;
      });
    fc.assert(
      fc.property(fc.oneof(random, near), fc.array(fc.nat(200)), fc.boolean(), (input, places, fin) => {
        // what is asked for depends on when packets come, all else may not
        const { output: _, ...before } = converse(open(), [input], { fin, answer: 'never' });
        const { output: __, ...after } = converse(open(), cutAt(input, places), { fin, answer: 'never' });
        expect(after).toEqual(before);
        expect(before.errors.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a packet without payload', () => {
  it('closes the connection where no request came before', () => {
    expect(talk(EMPTY)).toEqual(BROKEN_MESSAGE);
    expect(converse(open(), [CPING, EMPTY]).errors).toEqual(['ERR_AJP_MESSAGE']);
  });

  it('is let pass once for each request without a body, while it runs or behind it', () => {
    const { asked, output, close } = talk(Buffer.concat([forward(), EMPTY]), { answer: 'head' });
    expect({ asked: asked.length, output, close }).toEqual({ asked: 1, output: OK, close: false });
    const connection = open();
    expect(converse(connection, [forward(), EMPTY, forward(), EMPTY]).output).toBe(OK + OK);
    expect(converse(connection, [EMPTY]).errors).toEqual(['ERR_AJP_MESSAGE']);
  });
});

it('a request that comes before the end of the one before it is not read, and the connection closes behind the reply', () => {
  const connection = started(forward());
  connection.receive(forward({ uri: '/second' }));
  expect(connection.next()).toBeUndefined();
  connection.send(reply(1));
  expect(outputText(connection)).toBe(LAST);
  expect(connection.wantsClose).toBe('fin');
  expect(connection.next()).toBeUndefined();
});

describe('lighttpd', () => {
  const bytes = Buffer.concat([POST, hex('12 34 00 05 68 65 6C 6C 6F')]);

  it('sends body packets without an inner length, which are read where the address says so', () => {
    expect(talk(bytes, {}, { peer: 'lighttpd' })).toMatchObject({
      asked: [{ body: 'hello', ended: 'end' }],
      output: OK,
    });
    expect(talk(bytes).errors).toEqual(['ERR_AJP_PACKET']);
  });

  it('sends paths decoded', () => {
    const { asked } = talk(forward({ uri: '/a b' }), {}, { peer: 'lighttpd' });
    expect(asked).toMatchObject([{ head: { target: '/a%20b' } }]);
  });
});

describe('the FIN of the peer', () => {
  it('that came with a request aborts it when it has been told', () => {
    const connection = open();
    connection.receive(Buffer.concat([POST, bodyPacket('hello')]));
    connection.receiveEnd();
    const types = Array.from({ length: 4 }, () => connection.next()?.type);
    expect(types).toEqual(['request', 'data', 'end', 'abort']);
    expect(connection.next()).toBeUndefined();
  });

  it('on an idle connection ends it', () => {
    expect(converse(open(), [forward(), Buffer.alloc(0)], { fin: true })).toMatchObject({ errors: [], close: 'fin' });
  });

  it('behind a complete request aborts it, and what is sent afterwards goes nowhere', () => {
    const connection = started(forward());
    connection.receiveEnd();
    expect(connection.next()).toMatchObject({ type: 'abort', id: 1, error: { code: 'ERR_ABORTED' } });
    connection.send(reply(1));
    expect(outputText(connection)).toBe('');
    expect(connection.next()).toBeUndefined();
    expect(connection.wantsClose).toBe('fin');
  });

  it('behind a complete request is served where half-closing peers are told of, and that is the last reply', () => {
    const connection = open({ halfCloseServes: true });
    expect(converse(connection, [forward()], { answer: 'never', fin: true }).asked).toMatchObject([{ ended: 'end' }]);
    connection.send(reply(1));
    expect(outputText(connection)).toBe(LAST);
  });

  it('within a body aborts the request', () => {
    const { asked, errors, output, close } = talk(
      Buffer.concat([POST, bodyPacket('hello').subarray(0, 8)]),
      { fin: true },
      { halfCloseServes: true },
    );
    expect(asked).toMatchObject([{ ended: 'ERR_ABORTED' }]);
    expect({ errors, output, close }).toEqual({ errors: [], output: '', close: 'fin' });
  });
});

describe('shutdown', () => {
  it('closes an idle connection', () => {
    const connection = open();
    connection.shutdown();
    expect(connection.wantsClose).toBe('fin');
    connection.receive(forward());
    expect(connection.next()).toBeUndefined();
  });

  it('lets what runs end, and tells that the connection does not go on', () => {
    const connection = started(forward());
    connection.shutdown();
    expect(connection.wantsClose).toBe(false);
    connection.send(reply(1));
    expect(outputText(connection)).toBe(LAST);
    expect(connection.wantsClose).toBe('fin');
  });
});

describe('expireHeads', () => {
  it('closes a connection whose request has begun, without a byte', () => {
    const connection = open();
    converse(connection, [forward().subarray(0, 10)]);
    expect(connection.headPending).toBe(true);
    connection.expireHeads();
    expect(connection.wantsClose).toBe('reset');
    expect(outputText(connection)).toBe('');
  });

  it('leaves a connection alone whose request is complete', () => {
    const connection = started(POST);
    expect(connection.headPending).toBe(false);
    connection.expireHeads();
    expect(connection.wantsClose).toBe(false);
  });
});
