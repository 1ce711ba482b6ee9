import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { type Serving, serving, silent } from '../../packages/server/test/support/serving.ts';
import { expectAbort, listenTo } from '../../packages/server/test/support/told.ts';
import { fiveProtocols, requestInFive, until } from '../../packages/testkit/src/index.ts';
import { replyOf } from './support/fault-child.ts';
import { protocols } from './support/wires.ts';

const codes = ['ENOBUFS', 'ENOMEM'] as const;
const places = fiveProtocols.flatMap((protocol) => codes.map((code) => ({ protocol, code })));

/** From now on the system refuses what is written to this socket. */
function refuseWrites(socket: Socket, code: (typeof codes)[number]): void {
  const handle = (socket as unknown as { _handle: Record<string, () => number> })._handle;
  const refuse = (): number => -constants.errno[code];
  for (const name of ['writev', 'writeBuffer', 'writeLatin1String', 'writeUtf8String', 'writeAsciiString'])
    handle[name] = refuse;
}

async function connectionsAre({ server }: Serving, count: number): Promise<void> {
  await until(
    () => server.connections,
    (now) => now === count,
  );
}

describe.each(places)('$code on a write over $protocol', ({ protocol, code }) => {
  it.each([
    ['a whole reply', false],
    ['a streamed reply', true],
  ])('fault 43: of %s ends that connection, is logged, and others are served', async (_, streamed) => {
    const all = await serving(silent, { protocol: protocols[protocol] });
    const other = await all.connect();
    other.write(requestInFive(protocol, '/other'));
    const waiting = await all.asked();
    const peer = await all.connect();
    peer.write(requestInFive(protocol, '/'));
    const exchange = await all.asked(2);
    const told = listenTo(exchange);
    const writer = streamed ? exchange.start(200, 'OK', []) : undefined;
    writer?.flush();
    if (streamed) await peer.when(() => peer.size > 0);
    const { size } = peer;
    refuseWrites(all.sockets[1], code);
    if (writer === undefined) exchange.respond(200, 'OK', [], 'hello');
    else writer.write('more');
    await connectionsAre(all, 1);
    expect(peer.size).toBe(size);
    if (writer === undefined) expect(told).toEqual({ over: [undefined], aborted: [] });
    else expectAbort(told);
    expect(all.logs.filter(({ level }) => level !== 'info')).toMatchObject([
      { level: 'warn', code: 'ERR_ABORTED', protocol, message: expect.stringContaining(code) },
    ]);
    expect(all.errors).toEqual([]);
    waiting.respond(200, 'OK', [], 'hello');
    expect(await replyOf(other, protocol)).toEqual({ status: 200, body: 'hello' });
  });
});
