import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import {
  abort,
  begin,
  cutAt,
  hex,
  pairs,
  params,
  plainGet,
  type ReadRecord,
  randomNumbers,
  readRecords,
  readReplies,
  record,
  request,
  requestInFive,
  stdin,
  type Variables,
} from '@postern/testkit';
import { serve } from 'postern';
import { attacked, cut, type Peer, probe, refused, send } from './attacked.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

const BEGIN = begin();
/** GET / with more variables. */
const withMore = (...more: [string, string][]): Variables => [...Object.entries(plainGet), ...more];

/** Everything answered so far, END_REQUESTs and the rest. */
function ends(peer: Peer): number {
  return readRecords(peer.bytes).filter(({ type }) => type === 3).length;
}

/** Bytes that are allocated or copied while something runs. */
function countCopies(run: () => void): number {
  let bytes = 0;
  const concat = Buffer.concat;
  jest.spyOn(Buffer, 'concat').mockImplementation((list, length) => {
    for (const piece of list) bytes += piece.length;
    return concat(list, length);
  });
  const set = Uint8Array.prototype.set;
  jest.spyOn(Uint8Array.prototype, 'set').mockImplementation(function (this: Uint8Array, from, at) {
    bytes += from.length;
    set.call(this, from, at);
  });
  const copy = Buffer.prototype.copy;
  jest.spyOn(Buffer.prototype, 'copy').mockImplementation(function (this: Buffer, ...args: Parameters<Buffer['copy']>) {
    const copied = copy.apply(this, args);
    bytes += copied;
    return copied;
  } as never);
  run();
  return bytes;
}

describe('the lengths of names and values', () => {
  it('F1 (CVE-2025-23016): two lengths whose sum overflows 32 bits are refused before more comes', async () => {
    const all = await attacked('fastcgi');
    const before = process.memoryUsage().arrayBuffers;
    // the first is what was published; each is more than the variables of a request may have
    for (const lengths of ['ffffffffffffffff', '8002000100', 'ffffffff00', '00ffffffff'])
      await refused(all, 431, BEGIN, params(hex(lengths)));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
    await probe(all);
  });

  it('F3: variables that end within a pair are refused, and none of them reaches the application', async () => {
    const all = await attacked('fastcgi');
    const whole = pairs(withMore(['REMOTE_USER', 'nobody']));
    for (const short of [1, 5, 7, 17, 18, 19]) {
      const bytes = whole.subarray(0, whole.length - short);
      // what is left of a pair may be one of its own
      const { status } = await send(all, BEGIN, params(bytes), params(), stdin());
      expect([short, status]).toEqual([short, short === 19 ? 200 : 400]);
    }
    expect(all.seen).toHaveLength(1);
    expect(all.seen[0].environ).not.toHaveProperty('REMOTE_USER');
  });

  it('F4: a pair that is split between two records is the same pair, wherever the split is', async () => {
    const all = await attacked('fastcgi');
    const block = pairs(withMore(['HTTP_X', 'v'.repeat(200)]));
    for (let at = 1; at < block.length; at++)
      await send(all, BEGIN, params(block.subarray(0, at)), params(block.subarray(at)), params(), stdin());
    expect(all.seen).toHaveLength(block.length - 1);
    expect(new Set(all.seen.map(({ environ }) => JSON.stringify(environ))).size).toBe(1);
    expect(all.seen[0].environ.HTTP_X).toBe('v'.repeat(200));
  });

  it('F19: a record that comes byte by byte is not copied again and again', () => {
    const size = 65_535;
    const connection = fastcgi.server(limitsWith({ maxValueBytes: 65_535 }), {});
    const bytes = Buffer.concat([BEGIN, params(pairs([['HTTP_X', 'v'.repeat(size - 15)]]))]);
    const copied = countCopies(() => {
      for (const piece of cutAt(
        bytes,
        Array.from({ length: bytes.length - 1 }, (_, i) => i + 1),
      )) {
        connection.receive(piece);
        connection.next();
        connection.retain();
      }
    });
    // amortised: a few times each byte, where again and again were two thousand million
    expect(copied).toBeGreaterThan(0);
    expect(copied).toBeLessThan(8 * size);
  });
});

describe('one request, one answer', () => {
  it('F5: a second end of the variables starts nothing', async () => {
    const all = await attacked('fastcgi');
    const bytes = [begin(1, 1), params(pairs(plainGet)), params(), params(), stdin()];
    const { peer } = await send(all, ...bytes);
    peer.write(request({ ...plainGet, REQUEST_URI: '/next' }, { flags: 1 }));
    await peer.replies(2);
    expect(all.seen.map(({ environ }) => environ.REQUEST_URI)).toEqual(['/', '/next']);
    expect(ends(peer)).toBe(2);
  });

  it('F8 (CVE-2011-2766): nothing of a request is there in the next one', async () => {
    const all = await attacked('fastcgi');
    const own = { ...process.env };
    const peer = await all.connect();
    // more than it takes until environs get a class of their own
    for (let i = 1; i <= 80; i++) {
      peer.write(request(withMore(['REMOTE_USER', 'ada'], ['HTTP_AUTHORIZATION', 'Basic x']), { flags: 1 }));
      await peer.replies(2 * i - 1);
      peer.write(request(plainGet, { flags: 1 }));
      await peer.replies(2 * i);
    }
    all.seen.forEach(({ environ }, i) => {
      expect([i, environ.REMOTE_USER, environ.HTTP_AUTHORIZATION]).toEqual(
        i % 2 === 0 ? [i, 'ada', 'Basic x'] : [i, undefined, undefined],
      );
    });
    expect(new Set(all.seen.map(({ environ }) => environ)).size).toBe(160);
    expect(process.env).toEqual(own);
  });

  it('F20: a request that is aborted while it runs ends once, and what is answered later goes nowhere', async () => {
    let answer = (): void => {};
    const all = await attacked('fastcgi', {
      app: () =>
        new Promise((resolve) => {
          answer = () => resolve({ status: 200, body: 'too late' });
        }),
    });
    const peer = await all.connect();
    peer.write(request(plainGet, { flags: 1 }));
    await all.asked();
    peer.write(Buffer.concat([abort(), abort()]));
    await peer.replies(1);
    answer();
    peer.write(request({ ...plainGet, REQUEST_URI: '/next' }, { flags: 1 }));
    await all.asked(2);
    answer();
    const [aborted, next] = await peer.replies(2);
    expect(aborted).toMatchObject({ stdout: '', end: '0000000100000000' });
    expect(next.stdout).toContain('too late');
    expect(readReplies(peer.bytes).replies).toHaveLength(2);
  });
});

describe('what a peer may say of itself', () => {
  it('F9: nobody off loopback is let in by default, and variables select no code', async () => {
    for (const host of ['0.0.0.0', '[::]']) {
      const open = serve({ fetch: () => new Response() }, { listen: `fastcgi://${host}:0` });
      await expect(open).rejects.toMatchObject({ code: 'ERR_ADDRESS_OPEN' });
    }
    const all = await attacked('fastcgi');
    const own = { ...process.env };
    const chosen: [string, string][] = [
      ['SCRIPT_FILENAME', '/etc/passwd'],
      ['PHP_VALUE', 'auto_prepend_file=/etc/passwd'],
      ['PHP_ADMIN_VALUE', 'allow_url_include=On'],
      ['NODE_OPTIONS', '--require=/tmp/evil.js'],
      ['LD_PRELOAD', '/tmp/evil.so'],
    ];
    expect(await send(all, request(withMore(...chosen)))).toMatchObject({ status: 200, body: 'served' });
    expect(all.seen[0].environ).toMatchObject(Object.fromEntries(chosen));
    expect(process.env).toEqual(own);
  });

  it('F10 (CVE-2019-11043): a line end in the path is a character of the path', async () => {
    const all = await attacked('fastcgi');
    const paths = { REQUEST_URI: '/app/a%0ab', SCRIPT_NAME: '/app', PATH_INFO: '/a\nb' };
    await send(all, request({ ...plainGet, ...paths }));
    expect(all.seen[0].environ).toMatchObject(paths);
    // what is no prefix of the target stays as it was sent
    const odd = { REQUEST_URI: '/a', SCRIPT_NAME: '/much/longer/than/the\ntarget', PATH_INFO: '' };
    await send(all, request({ ...plainGet, ...odd }));
    expect(all.seen[1].environ).toMatchObject(odd);
  });

  it('F11 (CVE-2024-8927): a header is never taken for the variable of that name', async () => {
    const all = await attacked('fastcgi');
    const names = [
      'REDIRECT_STATUS',
      'REMOTE_USER',
      'AUTH_TYPE',
      'HTTPS',
      'SERVER_ADDR',
      'REMOTE_ADDR',
      'PATH_TRANSLATED',
    ];
    await send(all, request(withMore(...names.map((name): [string, string] => [`HTTP_${name}`, 'on']))));
    const { environ } = all.seen[0];
    for (const name of names) expect([name, environ[name], environ[`HTTP_${name}`]]).toEqual([name, undefined, 'on']);
    expect(environ.REQUEST_SCHEME).toBe('http');
  });

  it('F24: a user whom the web server left out is not there, and no default stands in', async () => {
    const all = await attacked('fastcgi');
    await send(all, request(withMore(['HTTP_COOKIE', 'c'.repeat(16_000)], ['AUTH_TYPE', 'Basic'])));
    const { environ } = all.seen[0];
    expect('REMOTE_USER' in environ).toBe(false);
    expect(environ.REMOTE_USER).toBeUndefined();
  });
});

describe('records of no request', () => {
  it('F12: an answer that only a server gives is not answered', async () => {
    const all = await attacked('fastcgi');
    await cut(all, record(11, 0, hex('0c00000000000000')));
    await cut(all, record(10, 0));
    await probe(all);
  });

  it('F13: names of Object.prototype are no values of the server', async () => {
    const all = await attacked('fastcgi');
    const peer = await all.connect();
    const names = ['toString', 'constructor', '__proto__', 'hasOwnProperty', 'valueOf', 'FCGI_MPXS_CONNS'];
    peer.write(record(9, 0, pairs(names.map((name): [string, string] => [name, '']))));
    peer.write(request());
    await peer.replies(1);
    const [result] = readRecords(peer.bytes);
    expect(result).toMatchObject({ type: 10, id: 0, content: '\x0f\x01FCGI_MPXS_CONNS1' });
  });

  it('F14: a record of an unknown type is answered or passed over, and the request behind it served', async () => {
    const all = await attacked('fastcgi');
    const { status, peer } = await send(all, record(12, 0, 'hello'), record(255, 0), record(12, 1), request());
    expect(status).toBe(200);
    const told = readRecords(peer.bytes).filter(({ id }) => id === 0);
    expect(told.map(({ type, content }) => [type, content.charCodeAt(0)])).toEqual([
      [11, 12],
      [11, 255],
    ]);
  });
});

describe('the records that go out', () => {
  /** The records of replies with bodies of these sizes. */
  async function replied(sizes: readonly number[]): Promise<ReadRecord[]> {
    const all = await attacked('fastcgi', {
      app: ({ REQUEST_URI: uri }) => ({ status: 200, body: 'b'.repeat(sizes[Number(uri.slice(1))]) }),
    });
    const records: ReadRecord[] = [];
    for (let at = 0; at < sizes.length; at += 100) {
      const peer = await all.connect();
      const here = sizes.slice(at, at + 100);
      for (const [i] of here.entries())
        peer.write(request({ ...plainGet, REQUEST_URI: `/${at + i}` }, { id: i + 1, flags: 1 }));
      await peer.replies(here.length);
      records.push(...readRecords(peer.bytes));
      peer.socket.destroy();
    }
    return records;
  }

  it('F15: in 10,000 records no padding or reserved byte holds anything', async () => {
    const next = randomNumbers(11);
    const sizes = Array.from({ length: 3400 }, () => next() % (next() % 16 === 0 ? 70_000 : 300));
    const records = await replied(sizes);
    expect(records.length).toBeGreaterThanOrEqual(10_000);
    const odd = records.filter(
      ({ type, version, reserved, padding, content }) =>
        version !== 1 || reserved !== 0 || /[^\0]/.test(padding) || (type === 3 && /[^\0]/.test(content)),
    );
    expect(odd).toEqual([]);
  });

  it('F16: padding fills a record up to a multiple of eight, or there is none', async () => {
    const records = await replied(Array.from({ length: 300 }, (_, size) => size));
    const odd = records.filter(
      ({ content, padding }) => padding !== '' && (padding.length > 7 || (content.length + padding.length) % 8 !== 0),
    );
    expect(odd).toEqual([]);
    expect(new Set(records.map(({ content }) => content.length % 8)).size).toBe(8);
  });
});

it.each(['fastcgi', 'scgi', 'uwsgi', 'ajp', 'http'] as const)(
  'F22 (CVE-2020-24553): over %s no Content-Type is guessed from what the application says',
  async (protocol) => {
    const all = await attacked(protocol, { app: () => ({ status: 200, body: '<html><script>alert(1)</script>' }) });
    const { status, peer } = await send(all, requestInFive(protocol, '/'));
    expect(status).toBe(200);
    expect(peer.text).not.toMatch(/content-type|\xa0\x01/i);
  },
);
