import { describe, expect, it } from '@jest/globals';
import { hello, serving } from '../../packages/server/test/support/serving.ts';
import { fiveProtocols, until } from '../../packages/testkit/src/index.ts';
import { replyOf } from './support/fault-child.ts';
import { bodyInFive, headInFive, protocols } from './support/wires.ts';

/** As much as a web server may have on its way when the refusal comes. */
const SIZE = 4_000_000;
const PIECE = 8000;

describe.each(fiveProtocols)('an upload over %s', (protocol) => {
  it('D12: that is refused although it still comes can read why, and ends without a reset', async () => {
    const all = await serving(hello, { protocol: protocols[protocol], limits: { maxBody: 1000 } });
    const peer = await all.connect();
    peer.write(headInFive(protocol, '/', SIZE));
    // AJP's web server sends one packet by itself, and waits for the question behind it
    const pieces = protocol === 'ajp' ? 1 : SIZE / PIECE;
    for (let i = 0; i < pieces; i++) peer.write(bodyInFive(protocol, Buffer.alloc(PIECE)));
    expect((await replyOf(peer, protocol)).status).toBe(413);
    // AJP's connection is in step: it takes the next request
    if (protocol !== 'ajp') await peer.when(() => peer.ended);
    peer.socket.end();
    await peer.when(() => peer.closed);
    expect(peer.error).toBeUndefined();
    expect(all.exchanges).toEqual([]);
    await until(
      () => all.server.connections,
      (count) => count === 0,
    );
  });

  it('D12: that is refused and never ends is let go when lingerTimeout is over', async () => {
    const all = await serving(hello, { protocol: protocols[protocol], limits: { maxBody: 1000, lingerTimeout: 2000 } });
    const peer = await all.connect();
    peer.write(headInFive(protocol, '/', SIZE));
    expect((await replyOf(peer, protocol)).status).toBe(413);
    all.clock.advance(1000);
    expect(all.server.connections).toBe(1);
    all.clock.advance(2000);
    await until(
      () => all.server.connections,
      (count) => count === 0,
    );
    expect(all.clock.pending).toBe(0);
  });
});
