import { describe, expect, it } from '@jest/globals';
import { abort, begin, pairs, params, plainGet, request, stdin, until } from '@postern/testkit';
import type { Peer } from './support/peer.ts';
import { hello, serving, silent, turns } from './support/serving.ts';
import { allClosed, expectAbort, listenTo, type Told } from './support/told.ts';

const keep = { flags: 1 };
const post = { ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '100' };

/** Where a peer can leave: the bytes it has sent, and whether the application knows of the request by then. */
const boundaries: { at: string; sent: Buffer; known: boolean }[] = [
  { at: 'before any byte', sent: Buffer.alloc(0), known: false },
  { at: 'in the header of BEGIN', sent: begin(1, 1).subarray(0, 5), known: false },
  { at: 'behind BEGIN', sent: begin(1, 1), known: false },
  { at: 'in PARAMS', sent: Buffer.concat([begin(1, 1), params(pairs(post)).subarray(0, 40)]), known: false },
  { at: 'before the end of PARAMS', sent: Buffer.concat([begin(1, 1), params(pairs(post))]), known: false },
  { at: 'before the body', sent: Buffer.concat([begin(1, 1), params(pairs(post)), params()]), known: true },
  {
    at: 'in a record of the body',
    sent: Buffer.concat([begin(1, 1), params(pairs(post)), params(), stdin('x'.repeat(100)).subarray(0, 50)]),
    known: true,
  },
  {
    at: 'before the end of the body',
    sent: Buffer.concat([begin(1, 1), params(pairs(post)), params(), stdin('x'.repeat(50))]),
    known: true,
  },
  { at: 'behind the whole request', sent: request(post, { flags: 1, body: 'x'.repeat(100) }), known: true },
];

function leave(peer: Peer, how: 'FIN' | 'RST'): void {
  if (how === 'FIN') peer.socket.end();
  else peer.socket.resetAndDestroy();
}

describe.each(['FIN', 'RST'] as const)('a peer that leaves by %s', (how) => {
  it.each(boundaries)('$at is no error, and whoever was asked is told once', async ({ sent, known }) => {
    const told: Told[] = [];
    const all = await serving((exchange) => told.push(listenTo(exchange)));
    const peer = await all.connect();
    peer.write(sent);
    await until(
      () => all.sockets[0]?.bytesRead,
      (bytes) => bytes === sent.length,
    );
    if (known) await all.asked();
    leave(peer, how);
    await allClosed(all);
    expect(told).toHaveLength(known ? 1 : 0);
    for (const one of told) expectAbort(one);
    expect(all.logs.filter(({ level }) => level !== 'info')).toEqual([]);
    expect(all.errors).toEqual([]);
  });

  it('while the body is read makes the reader fail', async () => {
    const all = await serving(silent);
    const peer = await all.connect();
    peer.write(Buffer.concat([begin(1, 1), params(pairs(post)), params(), stdin('x'.repeat(50))]));
    const exchange = await all.asked();
    const reading = exchange.input.bytes();
    await turns();
    leave(peer, how);
    await expect(reading).rejects.toMatchObject({ name: 'AbortError', code: 'ERR_ABORTED' });
    exchange.fail(await reading.catch((error: unknown) => error));
    expect(all.errors).toEqual([]);
  });

  it('behind the head of the reply aborts it, and what is written then is thrown away', async () => {
    const all = await serving(silent);
    const peer = await all.connect();
    peer.write(request(plainGet, keep));
    const exchange = await all.asked();
    const told = listenTo(exchange);
    const writer = exchange.start(200, 'OK', []);
    await peer.when(() => peer.text.includes('Status: 200'));
    leave(peer, how);
    await allClosed(all);
    expectAbort(told);
    expect(exchange.over).toBe(true);
    expect(exchange.started).toBe(true);
    expect(writer.closed).toBe(true);
    expect(writer.write('late')).toBe(true);
    writer.end();
    expect(all.errors).toEqual([]);
    expect(all.logs.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('in the middle of a reply that it does not read wakes the writer', async () => {
    const all = await serving(silent);
    const peer = await all.connect();
    peer.socket.pause();
    peer.write(request(plainGet, keep));
    const exchange = await all.asked();
    const told = listenTo(exchange);
    const writer = exchange.start(200, 'OK', []);
    const piece = Buffer.alloc(65_536);
    while (writer.write(piece) || !all.sockets[0].writableNeedDrain) await turns(1);
    let drained = 0;
    writer.onDrain(() => drained++);
    leave(peer, how);
    await until(
      () => drained,
      (times) => times > 0,
    );
    peer.socket.destroy();
    await allClosed(all);
    expect(drained).toBe(1);
    expectAbort(told);
    expect(all.errors).toEqual([]);
  });

  it('behind a complete reply tells nobody', async () => {
    const told: Told[] = [];
    const all = await serving((exchange) => {
      told.push(listenTo(exchange));
      hello(exchange);
    });
    const peer = await all.connect();
    peer.write(request(plainGet, keep));
    await peer.reply();
    leave(peer, how);
    await allClosed(all);
    expect(told).toEqual([{ over: [undefined], aborted: [] }]);
    expect(all.logs).toEqual([]);
  });
});

describe('ABORT_REQUEST', () => {
  it('aborts its request alone, and the connection goes on', async () => {
    const all = await serving(silent);
    const peer = await all.connect();
    peer.write(Buffer.concat([request(plainGet, { id: 1, flags: 1 }), request(plainGet, { id: 2, flags: 1 })]));
    await all.asked(2);
    const told = all.exchanges.map(listenTo);
    peer.write(abort(1));
    await until(
      () => told[0].over.length,
      (count) => count === 1,
    );
    expectAbort(told[0]);
    expect(told[1].over).toEqual([]);
    all.exchanges[1].respond(200, 'OK', [], 'still here');
    const [, second] = await peer.replies(2);
    expect(second.stdout).toContain('still here');
  });
});
