import { describe, expect, it } from '@jest/globals';
import type { Exchange, LimitName, RequestBody, Role } from '@postern/core';
import { begin, pairs, params, plainGet, record, stdin, until } from '@postern/testkit';
import { TICK } from '../src/watchdog.ts';
import type { Peer } from './support/peer.ts';
import { hello, type Serving, serving, silent, turns } from './support/serving.ts';

const roles: Role[] = ['responder', 'filter'];

function head(more: Record<string, string> = {}, role = 3): Buffer {
  return Buffer.concat([begin(1, 1, role), params(pairs({ ...plainGet, ...more })), params()]);
}

function post(length: number, dataLength: number): Buffer {
  const lengths = { CONTENT_LENGTH: String(length), FCGI_DATA_LENGTH: String(dataLength) };
  return head({ REQUEST_METHOD: 'POST', ...lengths });
}

function data(content: string | Uint8Array = ''): Buffer {
  return record(8, 1, content);
}

/** A filter that is running, and its peer. */
async function running(
  bytes: Buffer[],
  limits: Partial<Record<LimitName, number>> = {},
  handler = silent as (exchange: Exchange) => void,
): Promise<{ all: Serving; peer: Peer; exchange: Exchange; file: RequestBody }> {
  const all = await serving(handler, { peer: { roles }, limits });
  const peer = await all.connect();
  peer.write(Buffer.concat(bytes));
  const exchange = await all.asked();
  return { all, peer, exchange, file: exchange.data as RequestBody };
}

/** Answers with the length of the body and of the file, as far as they could be read. */
function reads(...order: ('input' | 'data')[]): (exchange: Exchange) => void {
  return (exchange) => {
    const work = async (): Promise<void> => {
      const found: string[] = [];
      for (const name of order) {
        const body = exchange[name] as RequestBody;
        found.push(await body.bytes(10_000_000).then(({ length }) => `${name} ${length}`, String));
      }
      exchange.respond(200, 'OK', [], found.join('; '));
    };
    work().catch((error) => exchange.fail(error));
  };
}

async function answerTo(bytes: Buffer[], handler: (exchange: Exchange) => void, limits = {}): Promise<string> {
  const { peer } = await running(bytes, limits, handler);
  const { stdout } = await peer.reply();
  return stdout.slice(stdout.indexOf('\r\n\r\n') + 4);
}

const big = Buffer.alloc(60_000, 'x');

function many(type: number, count: number): Buffer[] {
  return Array.from({ length: count }, () => record(type, 1, big));
}

describe('the file of a filter', () => {
  it('is there, with its length, before any of it has come', async () => {
    const { exchange, file, peer } = await running([head({ FCGI_DATA_LENGTH: '6' })]);
    expect(exchange.role).toBe('filter');
    expect([file.length, file.complete]).toEqual([6, false]);
    expect(exchange.environ['gateway.data']).toBe(file);
    peer.write(Buffer.concat([stdin(), data('abc'), data('def'), data()]));
    expect(await file.text()).toBe('abcdef');
    exchange.respond(200, 'OK', [], 'done');
    expect((await peer.reply()).stdout).toMatch(/done$/);
  });

  it('is absent in any other role', async () => {
    const all = await serving(hello, { peer: { roles } });
    const peer = await all.connect();
    peer.write(Buffer.concat([head({ FCGI_DATA_LENGTH: '6' }, 1), stdin()]));
    const exchange = await all.asked();
    expect(exchange.data).toBeUndefined();
    expect(exchange.environ['gateway.data']).toBeUndefined();
  });

  it.each([
    [6, ['input', 'data']],
    [6, ['data', 'input']],
    [6, ['data']],
    [6, ['input']],
  ] as const)('of %d bytes behind a small body may be read in any order: %j', async (_, order) => {
    const bytes = [post(3, 6), stdin('abc'), stdin(), data('123456'), data()];
    const expected = order.map((name) => (name === 'input' ? 'input 3' : 'data 6'));
    expect(await answerTo(bytes, reads(...order))).toBe(expected.join('; '));
  });

  it('of 3 MB behind a body of 3 MB is read in the order in which they come', async () => {
    const bytes = [post(3_000_000, 3_000_000), ...many(5, 50), stdin(), ...many(8, 50), data()];
    expect(await answerTo(bytes, reads('input', 'data'))).toBe('input 3000000; data 3000000');
  });

  it('comes to who does not read a body that finds no room: what is left of that is thrown away', async () => {
    const bytes = [post(3_000_000, 600_000), ...many(5, 50), stdin(), ...many(8, 10), data()];
    const answer = await answerTo(bytes, reads('data', 'input'));
    expect(answer).toMatch(/^data 600000; LocalProtocolError: the request body was thrown away, for nobody read it$/);
  });

  it('comes to who has left a body half read', async () => {
    const bytes = [post(3_000_000, 6), ...many(5, 50), stdin(), data('123456'), data()];
    const answer = await answerTo(bytes, (exchange) => {
      const work = async (): Promise<void> => {
        for await (const chunk of exchange.input) if (chunk.length > 0) break;
        exchange.respond(200, 'OK', [], await (exchange.data as RequestBody).text());
      };
      work().catch((error) => exchange.fail(error));
    });
    expect(answer).toBe('123456');
  });

  it('waits for who reads the body before it, however slowly, and takes nothing from it', async () => {
    const bytes = [post(600_000, 6), ...many(5, 10), stdin(), data('123456'), data()];
    const answer = await answerTo(bytes, (exchange) => {
      const work = async (): Promise<void> => {
        const file = (exchange.data as RequestBody).text();
        let size = 0;
        for await (const chunk of exchange.input) {
          size += chunk.length;
          await turns(2);
        }
        exchange.respond(200, 'OK', [], `${size} ${await file}`);
      };
      work().catch((error) => exchange.fail(error));
    });
    expect(answer).toBe('600000 123456');
  });

  it('that nobody reads waits within its window, and the socket with it', async () => {
    const bytes = [head({ FCGI_DATA_LENGTH: '6000000' }), stdin(), ...many(8, 100), data()];
    const { all, peer, file, exchange } = await running(bytes);
    await until(() => all.sockets[0].isPaused(), Boolean);
    expect(file.waiting).toBeGreaterThanOrEqual(65_536);
    expect(file.waiting).toBeLessThan(65_536 + 60_000);
    exchange.respond(200, 'OK', [], 'no need');
    expect((await peer.reply()).stdout).toMatch(/no need$/);
    peer.write(Buffer.concat([head({}, 1), stdin()]));
    await all.asked(2);
  });
});

/** Attaches to a body, and takes none of it beyond the first bytes. */
function touch(body: RequestBody): void {
  body.attach({ data: () => false, end() {}, error() {} });
  body.pull();
}

describe('a filter that touches its body and waits for the file behind it', () => {
  const stuck = [post(3_000_000, 6), ...many(5, 50), stdin(), data('123456'), data()];

  it('is answered 504 after appTimeout, for it waits for itself', async () => {
    const { all, peer, exchange, file } = await running(stuck, { appTimeout: 55_000, bodyIdleTimeout: 1000 });
    touch(exchange.input);
    const read = file.text().catch((error) => error.code);
    await until(() => all.sockets[0].isPaused(), Boolean);
    all.clock.advance(54_999);
    expect(exchange.over).toBe(false);
    all.clock.advance(2 * TICK + 1);
    expect(await read).toBe('ERR_TIMEOUT_APP');
    expect((await peer.reply()).stdout).toMatch(/^Status: 504 /);
    expect(all.logs).toMatchObject([{ code: 'ERR_TIMEOUT_APP', id: 1 }]);
  });

  it('is broken off where its reply has begun', async () => {
    const { all, peer, exchange, file } = await running(stuck, { appTimeout: 55_000 });
    exchange.start(200, 'OK', []).write('begun');
    touch(exchange.input);
    file.text().catch(() => {});
    await until(() => all.sockets[0].isPaused(), Boolean);
    all.clock.advance(55_000 + 2 * TICK);
    expect(exchange.signal.reason).toMatchObject({ code: 'ERR_TIMEOUT_APP' });
    await peer.when(() => peer.text.endsWith('\0\0\0\0\0\0\0\0'));
  });

  it('is not timed out for a body of another request, which holds its connection back', async () => {
    const limits = { sharedBodyHighWater: 65_536, maxSpoolBytes: 0, stallTimeout: 600_000, appTimeout: 55_000 };
    const { all, peer, exchange, file } = await running([head({ FCGI_DATA_LENGTH: '6' }), stdin()], limits);
    file.text().catch(() => {});
    const upload = { ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '3000000' };
    const pieces = Array.from({ length: 50 }, () => stdin(big, 2));
    peer.write(Buffer.concat([begin(2, 1, 1), params(pairs(upload), 2), params('', 2), ...pieces]));
    (await all.asked(2)).start(200, 'OK', []);
    await until(() => all.sockets[0].isPaused(), Boolean);
    all.clock.advance(300_000);
    expect([exchange.over, all.logs]).toEqual([false, []]);
  });
});

describe('a file that nobody reads, beside other requests', () => {
  const get = (id: number): Buffer => Buffer.concat([begin(id, 1, 1), params(pairs(plainGet), id), params('', id)]);
  const file = [head({ FCGI_DATA_LENGTH: '6000000' }), stdin(), ...many(8, 100), data()];

  it('keeps nobody waiting, and is there when it is read', async () => {
    const { all, peer, exchange } = await running([head({ FCGI_DATA_LENGTH: '6000000' }), get(2)]);
    peer.write(Buffer.concat([stdin(), ...many(8, 100), data(), get(3)]));
    (await all.asked(3)).respond(200, 'OK', [], 'beside');
    await peer.when(() => peer.text.includes('beside'));
    await until(
      () => all.server.spools.used,
      (used) => used > 4_000_000,
    );
    expect(Buffer.alloc(6_000_000, 'x').equals((await exchange.data?.bytes(6_000_000)) as Uint8Array)).toBe(true);
    exchange.respond(200, 'OK', [], 'read');
    await peer.when(() => peer.text.includes('read'));
    await until(
      () => all.server.spools.used,
      (used) => used === 0,
    );
    expect(all.logs).toEqual([]);
  });

  it('is kept behind a body that is kept', async () => {
    const { all, peer, exchange } = await running([post(3_000_000, 3_000_000), get(2)]);
    peer.write(Buffer.concat([...many(5, 50), stdin(), ...many(8, 50), data(), get(3)]));
    await all.asked(3);
    expect(await exchange.input.bytes(3_000_000)).toHaveLength(3_000_000);
    expect(await exchange.data?.bytes(3_000_000)).toHaveLength(3_000_000);
  });

  it.each([
    ['answered 503', false],
    ['broken off, where its reply has begun,', true],
  ])('is %s after stallTimeout where it finds no room', async (_, begins) => {
    const limits = { maxSpoolBytes: 0, appTimeout: 0, stallTimeout: 5000 };
    const { all, peer, exchange } = await running([get(2), file[0]], limits);
    const filter = exchange.role === 'filter' ? exchange : await all.asked(2);
    if (begins) filter.start(200, 'OK', []).write('begun');
    peer.write(Buffer.concat([...file.slice(1), get(3)]));
    await until(() => all.sockets[0].isPaused(), Boolean);
    all.clock.advance(4999);
    await turns(20);
    expect([filter.over, all.exchanges.length]).toEqual([false, 2]);
    all.clock.advance(2 * TICK + 1);
    expect(filter.signal.reason).toMatchObject({ code: 'ERR_TIMEOUT_STALL' });
    const [reply] = await peer.replies(1);
    if (begins) expect(reply).toMatchObject({ id: 1, end: '0000000100000000' });
    else expect(reply.stdout).toMatch(/^Status: 503 /);
    // the rest of it is thrown away
    (await all.asked(3)).respond(200, 'OK', [], 'behind it');
    await peer.when(() => peer.text.includes('behind it'));
  });
});

describe('a file that breaks off', () => {
  it('because it is short fails its reader, and is answered 400', async () => {
    const { peer, exchange, file } = await running([head({ FCGI_DATA_LENGTH: '10' })]);
    const read = file.text().catch((error) => error.code);
    peer.write(Buffer.concat([stdin(), data('abc'), data()]));
    expect(await read).toBe('ERR_BODY_SHORT');
    expect((await peer.reply()).stdout).toMatch(/^Status: 400 /);
    expect(exchange.over).toBe(true);
  });

  it('because the web server leaves fails its reader', async () => {
    const { peer, file, exchange } = await running([head({ FCGI_DATA_LENGTH: '10' }), stdin(), data('abc')]);
    const read = file.text().catch((error) => error.code);
    peer.socket.destroy();
    expect(await read).toBe('ERR_ABORTED');
    expect(exchange.signal.aborted).toBe(true);
  });

  it('because the reply is complete fails who still reads it', async () => {
    const { file, exchange } = await running([head({ FCGI_DATA_LENGTH: '10' }), stdin(), data('abc')]);
    const read = file.text().catch((error) => `${error.code} ${error.message}`);
    exchange.respond(200, 'OK', [], 'done');
    expect(await read).toBe('ERR_ABORTED the reply is complete, the rest of the body was thrown away');
  });

  it('because nothing of it comes is answered 408', async () => {
    const { all, peer, file } = await running([head({ FCGI_DATA_LENGTH: '10' }), stdin(), data('abc')]);
    const read = file.text().catch((error) => error.code);
    await until(() => file.starved, Boolean);
    all.clock.advance(31_000);
    expect(await read).toBe('ERR_TIMEOUT_BODY');
    expect((await peer.reply()).stdout).toMatch(/^Status: 408 /);
  });
});
