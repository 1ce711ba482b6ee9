import crypto from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import { serve } from 'postern';
import {
  attribute,
  bodyPacket,
  CPING,
  EMPTY,
  END_CLOSE,
  END_REUSE,
  type Forward,
  forward,
  hex,
  type Message,
  packet,
  readMessages,
  str,
} from '../../../packages/ajp/test/writer.ts';
import { type Attacked, attacked, cut, type Peer, probe, refused, send, until } from './attacked.ts';

function messages(peer: Peer): Message[] {
  return readMessages(peer.text);
}

function types(peer: Peer): string[] {
  return messages(peer).map(({ type }) => type);
}

const post = (length: string, ...headers: string[]): Forward => ({
  method: 'POST',
  headers: ['host', 'a', 'content-length', length, ...headers],
});

/** An application that answers and never looks at the body. */
const deaf = { app: () => ({ status: 200, headers: { 'Content-Type': 'text/plain' }, body: 'served' }) };

/** Refused with one head, one end, and no further use of the connection. */
async function refusedWhole(all: Attacked, status: number, ...pieces: Uint8Array[]): Promise<Peer> {
  const peer = await refused(all, status, ...pieces);
  expect(types(peer).filter((type) => type === 'headers')).toHaveLength(1);
  expect(peer.text.endsWith(END_CLOSE)).toBe(true);
  expect(types(peer).filter((type) => type === 'end')).toHaveLength(1);
  return peer;
}

describe('who may connect, and what a request may bring', () => {
  it('A1 (CVE-2020-1938): no AJP port off loopback without a secret, and no attribute that names a file', async () => {
    for (const host of ['0.0.0.0', '[::]', '192.0.2.1']) {
      const open = serve(() => ({ status: 200 }), { listen: `ajp://${host}:0` });
      await expect(open).rejects.toMatchObject({ code: 'ERR_ADDRESS_OPEN' });
    }
    const all = await attacked('ajp');
    for (const name of ['request_uri', 'path_info', 'servlet_path']) {
      const include = attribute(`javax.servlet.include.${name}`, '/WEB-INF/web.xml');
      await refusedWhole(all, 403, forward({ attributes: [include] }));
    }
    await probe(all);
  });

  it('A18: a SHUTDOWN packet closes its connection, and the server goes on', async () => {
    const all = await attacked('ajp');
    await cut(all, hex('12 34 00 01 07'));
    await probe(all);
  });

  it('A19: an attribute cannot become a variable of the request or of a library', async () => {
    const all = await attacked('ajp');
    for (const name of ['REMOTE_USER', 'HTTP_X', 'wsgi.input', 'gateway.input', '__proto__', 'SCRIPT_FILENAME'])
      await refusedWhole(all, 403, forward({ attributes: [attribute(name, 'x')] }));
  });

  it('A20: a user is believed only where the address says so', async () => {
    const user = forward({
      attributes: [Buffer.concat([hex('03'), str('root')]), Buffer.concat([hex('04'), str('Basic')])],
    });
    const all = await attacked('ajp');
    await send(all, user);
    expect(all.seen[0].environ).not.toHaveProperty('REMOTE_USER');
    expect(all.seen[0].environ).not.toHaveProperty('AUTH_TYPE');
    const trusting = await attacked('ajp', { peer: { trustRemoteUser: true } });
    await send(trusting, user);
    expect(trusting.seen[0].environ.REMOTE_USER).toBe('root');
  });
});

describe('the secret', () => {
  const secret = 'correct horse battery staple';
  const given = (text: string): Buffer => Buffer.concat([hex('0c'), str(text)]);

  it('A12: any secret but the right one gets the same answer, and costs the same comparison', async () => {
    const all = await attacked('ajp', { peer: { secret } });
    const wrong = [[], ['x'], [''], [secret.slice(0, -1)], [`${secret}x`], [`${secret.slice(0, -1)}X`], [secret, 'x']];
    const answers = new Set<string>();
    for (const texts of wrong)
      answers.add((await refusedWhole(all, 403, forward({ attributes: texts.map(given) }))).text);
    expect(answers.size).toBe(1);
    expect(JSON.stringify(all.logs)).not.toContain('horse');
    expect((await send(all, forward({ attributes: [given(secret)] }))).status).toBe(200);

    const compare = jest.spyOn(crypto, 'timingSafeEqual');
    for (const texts of wrong) await send(all, forward({ attributes: texts.map(given) }));
    const lengths = compare.mock.calls.map((both) => both.map(({ byteLength }) => byteLength));
    compare.mockRestore();
    expect(lengths).toEqual(wrong.map(() => [32, 32]));
  });

  it('A13: who has no secret learns, and has logged, nothing but that', async () => {
    const all = await attacked('ajp', { peer: { secret } });
    const attributes = [attribute('javax.servlet.include.request_uri', '/etc/shadow')];
    const peer = await refusedWhole(all, 403, forward({ ...post('100'), attributes }), bodyPacket('x'.repeat(100)));
    expect(types(peer)).not.toContain('ask');
    expect(all.logs).toMatchObject([{ code: 'ERR_AJP_SECRET' }]);
    expect(JSON.stringify(all.logs)).not.toMatch(/javax|shadow/);
  });
});

describe('how long a body is', () => {
  it.each(['5', '0'])(
    'A2 (CVE-2022-26377): Transfer-Encoding beside a Content-Length of %s is refused',
    async (length) => {
      const all = await attacked('ajp');
      await refusedWhole(all, 400, forward(post(length, 'transfer-encoding', 'chunked')));
    },
  );

  it.each(['identity', 'xchunked', 'chunked, identity', ' chunked', 'chunked, chunked', 'gzip, chunked', ''])(
    'A2 (CVE-2022-36760): a coding "%s" is no chunked body, and is refused',
    async (coding) => {
      const all = await attacked('ajp');
      const headers = ['host', 'a', 'transfer-encoding', coding];
      await refusedWhole(all, 501, forward({ method: 'POST', headers }), bodyPacket('x'));
    },
  );

  it.each(['5', '6'])('A3 (CVE-2013-4286): a second Content-Length is refused, equal or not (%s)', async (second) => {
    const all = await attacked('ajp');
    // one with its code, one spelled out
    await refusedWhole(all, 400, forward(post('5', 'Content-Length', second)), bodyPacket('abcde'));
  });

  it('A5 (CVE-2014-0095): a Content-Length of 0 waits for nothing', async () => {
    const all = await attacked('ajp');
    const { status, peer } = await send(all, forward(post('0')));
    expect(status).toBe(200);
    expect(all.seen[0].body).toBe('');
    expect(types(peer)).toEqual(['headers', 'body', 'end']);
  });

  it('A6 (CVE-2008-5519): a body that ends too early ends its connection', async () => {
    const all = await attacked('ajp');
    const peer = await all.connect();
    peer.write(forward(post('10')));
    peer.write(bodyPacket('abc'));
    await peer.when(() => types(peer).at(-1) === 'ask');
    peer.write(EMPTY);
    await peer.gone();
    expect(messages(peer)).toMatchObject([
      { type: 'ask', length: 7 },
      { type: 'headers', status: 400 },
      { type: 'body' },
      { type: 'end', reuse: false },
    ]);
    expect(all.seen).toEqual([]);
    await probe(all);
  });

  it('A8 (CVE-2022-2053): a body that is too large gets a whole 413', async () => {
    const all = await attacked('ajp', { limits: { maxBody: 100 } });
    const { status, peer } = await send(all, forward(post('101')), bodyPacket('x'.repeat(101)));
    expect(status).toBe(413);
    expect(types(peer).at(0)).toBe('headers');
    expect(types(peer).at(-1)).toBe('end');
    await probe(all);
  });
});

describe('bytes of a body are no packets', () => {
  const forged = forward({ uri: '/forged' });

  it('A4 (CVE-2011-3190): a whole request as form data that nobody reads is not served', async () => {
    const all = await attacked('ajp', deaf);
    const { peer } = await send(all, forward(post(String(forged.length))), bodyPacket(forged));
    expect(peer.text.endsWith(END_REUSE)).toBe(true);
    peer.write(forward({ uri: '/next' }));
    await peer.when(() => types(peer).filter((type) => type === 'end').length === 2);
    expect(all.seen.map(({ environ }) => environ.REQUEST_URI)).toEqual(['/', '/next']);
  });

  it('A4 (CVE-2011-3190): nor where its first packet is withheld until the reply is there', async () => {
    const all = await attacked('ajp', deaf);
    const { peer } = await send(all, forward(post(String(forged.length))));
    expect(peer.text.endsWith(END_CLOSE)).toBe(true);
    // raw, as a packet of its own
    peer.write(forged);
    await peer.gone();
    expect(all.seen).toHaveLength(1);
    await probe(all);
  });

  it('A14: a body is asked for one piece at a time, never beyond its end, and not after it', async () => {
    const all = await attacked('ajp');
    const peer = await all.connect();
    const size = 20_000;
    peer.write(forward(post(String(size))));
    peer.write(bodyPacket('a'.repeat(8186)));
    let left = size - 8186;
    for (let asked = 0; left > 0; asked++) {
      await peer.when(() => messages(peer).length > asked);
      const all = messages(peer);
      expect(all).toHaveLength(asked + 1);
      const ask = all[asked];
      if (ask.type !== 'ask') throw new Error(`${ask.type} in place of a question`);
      expect(ask.length).toBe(Math.min(8186, left));
      peer.write(bodyPacket('a'.repeat(ask.length)));
      left -= ask.length;
    }
    await peer.when(() => types(peer).at(-1) === 'end');
    expect(types(peer).slice(2)).toEqual(['headers', 'body', 'end']);
    expect(all.seen[0].body).toHaveLength(size);
  });
});

describe('what is malformed', () => {
  it('A7 (CVE-2010-0408): mistakes of a client are answered, they are no failure of the back-end', async () => {
    const all = await attacked('ajp');
    for (const method of [0, 28, 254]) await refusedWhole(all, 400, forward({ method }));
    await refusedWhole(all, 400, forward(post('10')), EMPTY);
    await refusedWhole(all, 400, forward({ uri: 'http://evil/' }));
  });

  it('A7 (CVE-2011-3348): a ping is answered while requests are waiting for the application', async () => {
    const all = await attacked('ajp', { app: () => new Promise<never>(() => {}) });
    for (let i = 0; i < 10; i++) (await all.connect()).write(forward());
    await all.asked(10);
    const peer = await all.connect();
    peer.write(CPING);
    await peer.when(() => peer.size > 0, 1000);
    expect(messages(peer)).toEqual([{ type: 'pong' }]);
  });

  it('A9 (CVE-2022-1319): a malformed request is answered once, and no ping behind it', async () => {
    const all = await attacked('ajp');
    await refusedWhole(all, 400, forward({ uri: null }), CPING, forward());
  });

  it('A10 (CVE-2026-28780): a packet may be as long as packetSize says, with its four bytes, and no longer', async () => {
    const all = await attacked('ajp');
    const fill = (length: number): Buffer => {
      const bare = forward({ headers: ['host', 'a', 'x', ''] }).length - 4;
      return forward({ headers: ['host', 'a', 'x', 'v'.repeat(length - bare)] });
    };
    expect((await send(all, fill(8188))).status).toBe(200);
    await refusedWhole(all, 400, fill(8189));
    expect(all.logs.at(-1)?.message).toContain('packetSize is 8192');
  });

  it('A11: a string that runs past its packet shows nothing of another', async () => {
    const all = await attacked('ajp');
    await send(all, forward({ headers: ['host', 'a', 'x', 'a secret of the packet before'] }));
    const whole = forward({ headers: ['host', 'a', 'x', 'short'] });
    const at = whole.indexOf('short') - 2;
    for (const length of [6, 7, 8, 40, 0x7fff, 0xfffe]) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt16BE(length, at);
      const peer = await refusedWhole(all, 400, bytes);
      expect(peer.text).not.toContain('secret');
    }
  });

  it.each(['00', '0e', '31', 'fe'])(
    'A15: an attribute of code %s, whose length nobody knows, is refused',
    async (code) => {
      const all = await attacked('ajp');
      await refusedWhole(all, 400, forward({ attributes: [Buffer.concat([hex(code), str('x')])] }));
    },
  );
});

describe('what the application answers', () => {
  it('A16: headers that fit no packet are a 500, not fewer headers', async () => {
    const all = await attacked('ajp', {
      app: () => ({
        status: 200,
        headers: { 'Content-Type': 'text/plain', 'Set-Cookie': Array(9).fill('a'.repeat(1000)) },
      }),
    });
    const { status, peer } = await send(all, forward());
    expect(status).toBe(500);
    expect(peer.text).not.toContain('aaaa');
    await until(
      () => String((all.errors[0]?.error as Error)?.message),
      (message) => message.includes('packetSize'),
    );
  });

  it.each(['a\r\nSet-Cookie: b', 'a\nb', 'a\rb', 'a\0b'])(
    'A17: a header value %j stays off the wire',
    async (value) => {
      const all = await attacked('ajp', {
        app: ({ REQUEST_URI: uri }) =>
          uri === '/reason' ? { status: 200, reason: value } : { status: 200, headers: { 'X-A': value } },
      });
      for (const uri of ['/', '/reason']) {
        const { status, peer } = await send(all, forward({ uri }));
        expect(status).toBe(500);
        expect(peer.text).not.toContain(value);
      }
    },
  );

  it('A15: bytes behind the end of the attributes are refused too', async () => {
    const all = await attacked('ajp');
    await refusedWhole(all, 400, forward({ end: hex('ff 00') }));
    await cut(all, packet(hex('07 00')));
  });
});
