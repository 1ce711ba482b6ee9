import { describe, expect, it } from '@jest/globals';
import { type BodyWriter, type Exchange, LocalProtocolError } from '@postern/core';
import { plainGet, request, until } from '@postern/testkit';
import type { Peer } from './support/peer.ts';
import { hello, type Serving, serving, silent, turns } from './support/serving.ts';

const keep = { flags: 1 };

async function started(
  headers: string[] = [],
): Promise<{ all: Serving; peer: Peer; exchange: Exchange; writer: BodyWriter }> {
  const all = await serving(silent);
  const peer = await all.connect();
  peer.write(request(plainGet, keep));
  const exchange = await all.asked();
  return { all, peer, exchange, writer: exchange.start(200, 'OK', headers) };
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof LocalProtocolError ? error.code : `no LocalProtocolError: ${String(error)}`;
  }
  return 'nothing was thrown';
}

describe('Content-Length', () => {
  it('is kept by a body of just that length', async () => {
    const { all, peer, writer } = await started(['Content-Length', '6']);
    writer.write('123');
    writer.write(Buffer.from('456'));
    writer.end();
    expect((await peer.reply()).stdout).toBe('Status: 200 OK\r\nContent-Length: 6\r\n\r\n123456');
    expect(all.errors).toEqual([]);
  });

  it('makes a longer body throw ERR_BODY_LONG: just that many bytes arrive, and the connection is in step', async () => {
    const { all, peer, exchange, writer } = await started(['Content-Length', '6']);
    writer.write('1234');
    expect(codeOf(() => writer.write('5678'))).toBe('ERR_BODY_LONG');
    expect((await peer.reply()).stdout).toBe('Status: 200 OK\r\nContent-Length: 6\r\n\r\n123456');
    expect(exchange.over).toBe(true);
    expect(codeOf(() => writer.write('9'))).toBe('ERR_WRITE_AFTER_END');
    writer.end();
    peer.write(request(plainGet, keep));
    hello(await all.asked(2));
    expect((await peer.replies(2))[1].stdout).toContain('hello');
  });

  it('makes a longer body a failure that the operator hears of', async () => {
    const { all, exchange, writer } = await started(['Content-Length', '0']);
    try {
      writer.write('x');
    } catch (error) {
      exchange.fail(error);
    }
    expect(all.errors).toMatchObject([{ error: { code: 'ERR_BODY_LONG' } }]);
  });

  it('breaks a shorter body off: ERR_BODY_CUT to the operator, and no clean end', async () => {
    const { all, peer, writer } = await started(['Content-Length', '6']);
    writer.write('12345');
    await peer.when(() => peer.text.includes('12345'));
    writer.end();
    await peer.when(() => peer.ended);
    expect(peer.text.endsWith('\0\0\0\0\0\0\0\0')).toBe(true);
    expect(all.errors).toMatchObject([{ error: { code: 'ERR_BODY_CUT' } }]);
  });

  it('counts the bytes of text, not its characters', async () => {
    const { peer, writer } = await started(['Content-Length', '3']);
    writer.write('\u20ac');
    writer.end();
    expect((await peer.reply()).stdout.slice(-3)).toBe('\xe2\x82\xac');
  });
});

describe('a writer', () => {
  it('throws ERR_WRITE_AFTER_END behind its end, and the wire is unchanged', async () => {
    const { peer, writer } = await started();
    writer.write('all');
    writer.end();
    expect(codeOf(() => writer.write('more'))).toBe('ERR_WRITE_AFTER_END');
    writer.end();
    writer.flush();
    writer.destroy();
    expect((await peer.reply()).stdout).toBe('Status: 200 OK\r\n\r\nall');
    await turns();
    expect(peer.partial).toHaveLength(1);
  });

  it('takes empty chunks without a record that would end the stream', async () => {
    const { peer, writer } = await started();
    writer.write('');
    writer.write(new Uint8Array(0));
    writer.write('body');
    writer.write('');
    writer.end();
    expect((await peer.reply()).stdout).toBe('Status: 200 OK\r\n\r\nbody');
  });

  it('that is destroyed breaks the reply off, with the error to the operator', async () => {
    const { all, peer, writer } = await started();
    writer.write('begun');
    await peer.when(() => peer.text.includes('begun'));
    const error = new Error('the source broke');
    writer.destroy(error);
    await peer.when(() => peer.ended);
    expect(peer.text.endsWith('\0\0\0\0\0\0\0\0')).toBe(true);
    expect(all.errors).toMatchObject([{ error }]);
  });

  it('that is destroyed without an error is ERR_BODY_CUT', async () => {
    const { all, writer } = await started();
    writer.destroy();
    expect(all.errors).toMatchObject([{ error: { code: 'ERR_BODY_CUT' } }]);
    expect(codeOf(() => writer.write('x'))).toBe('ERR_WRITE_AFTER_END');
  });

  it('of 200,000 chunks of one byte sends few records', async () => {
    const { peer, writer } = await started();
    const count = 200_000;
    for (let i = 0; i < count; i++) writer.write('x');
    writer.end();
    const { stdout } = await peer.reply();
    expect(stdout).toHaveLength(count + 'Status: 200 OK\r\n\r\n'.length);
    expect(peer.size - stdout.length).toBeLessThan(200);
  });
});

describe('onDrain', () => {
  it('is called once when there is room, not before', async () => {
    const { all, peer, writer } = await started();
    peer.socket.pause();
    const piece = Buffer.alloc(65_536);
    while (writer.write(piece) || !all.sockets[0].writableNeedDrain) await turns(1);
    let calls = 0;
    writer.onDrain(() => calls++);
    await turns();
    expect(calls).toBe(0);
    peer.socket.resume();
    await until(
      () => calls,
      (count) => count > 0,
    );
    await turns();
    expect(calls).toBe(1);
    expect(writer.write(Buffer.alloc(1))).toBe(true);
  });

  it('calls everybody who waits', async () => {
    const { all, peer, writer } = await started();
    peer.socket.pause();
    while (writer.write(Buffer.alloc(65_536)) || !all.sockets[0].writableNeedDrain) await turns(1);
    const calls: string[] = [];
    writer.onDrain(() => calls.push('a'));
    writer.onDrain(() => calls.push('b'));
    peer.socket.resume();
    await until(
      () => calls,
      ({ length }) => length === 2,
    );
    expect(calls).toEqual(['a', 'b']);
  });

  it('is called soon where there is room already, and at once where nobody is there any more', async () => {
    const { writer } = await started();
    await new Promise<void>((resolve) => writer.onDrain(resolve));
    writer.end();
    let called = false;
    writer.onDrain(() => {
      called = true;
    });
    expect(called).toBe(true);
  });

  it('whose listener throws is a failure of that reply alone', async () => {
    const { all, peer, writer } = await started();
    writer.onDrain(() => {
      throw new Error('a mistake in a listener');
    });
    await peer.when(() => peer.ended);
    expect(all.errors).toMatchObject([{ error: { message: 'a mistake in a listener' } }]);
  });
});
