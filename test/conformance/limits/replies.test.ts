import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Exchange } from '@postern/core';
import { environHandler } from '@postern/core';
import { fiveProtocols, type OneOfFive } from '@postern/testkit';
import { silent } from '../../../packages/server/test/support/serving.ts';
import { allHits, answer, hits, type Limited, limited, type SomeLimits } from './limited.ts';
import { withFields } from './requests.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

/** Replies with what the path of the test gives. */
async function replying(protocol: OneOfFive, limits: SomeLimits): Promise<Limited & { headers: string[] }> {
  const headers: string[] = [];
  const all = await limited(protocol, limits, (exchange) => {
    try {
      exchange.respond(200, 'OK', [...headers], 'hello');
    } catch (error) {
      exchange.fail(error);
    }
  });
  return { ...all, headers };
}

describe('the head of a reply', () => {
  it.each(fiveProtocols)('L22: 20 fields over %s pass, one more is 500', async (protocol) => {
    const all = await replying(protocol, { maxReplyHeaders: 20 });
    for (const [count, status] of [
      [19, 200],
      [20, 200],
      [21, 500],
      [100_000, 500],
    ]) {
      all.headers.length = 0;
      for (let i = 0; i < count; i++) all.headers.push('X-A', 'y');
      expect(await answer(all, withFields(protocol))).toBe(status);
    }
    expect(allHits(all)).toEqual({ maxReplyHeaders: 2 });
    expect(all.errors).toHaveLength(2);
    expect(all.errors[0].error).toMatchObject({ code: 'ERR_HEADER_BLOCK' });
  });

  it.each(fiveProtocols)('L21: 1000 bytes of fields over %s pass, one more is 500', async (protocol) => {
    const all = await replying(protocol, { maxReplyHeaderBytes: 1000 });
    // a name, a colon and a space, the value, CR and LF
    for (const [bytes, status] of [
      [999, 200],
      [1000, 200],
      [1001, 500],
      [1_000_000, 500],
    ]) {
      all.headers.splice(0, 2, 'X-A', 'y'.repeat(bytes - 7));
      expect(await answer(all, withFields(protocol))).toBe(status);
    }
    expect(allHits(all)).toEqual({ maxReplyHeaderBytes: 2 });
  });

  it('L21: an AJP head that fits its packet passes, one byte more is 500', async () => {
    const all = await replying('ajp', {});
    // 0x41 0x42 and a length, the type, the status, "OK", the number of fields; a coded name; the other name; each value
    const frame = 4 + 1 + 2 + 5 + 2 + 2 + 3 + 6 + 3;
    for (const [bytes, status] of [
      [8191, 200],
      [8192, 200],
      [8193, 500],
    ]) {
      all.headers.splice(0, 4, 'Content-Type', '', 'X-A', 'y'.repeat(bytes - frame));
      expect(await answer(all, withFields('ajp'))).toBe(status);
    }
    expect(allHits(all)).toEqual({ packetSize: 1 });
  });

  it('L21: the defaults are 65535 bytes and 256 fields', async () => {
    const all = await replying('fastcgi', {});
    all.headers.push('X-A', 'y'.repeat(65_535 - 7));
    expect(await answer(all, withFields('fastcgi'))).toBe(200);
    all.headers[1] += 'y';
    expect(await answer(all, withFields('fastcgi'))).toBe(500);
    all.headers.length = 0;
    for (let i = 0; i < 256; i++) all.headers.push('X-A', 'y');
    expect(await answer(all, withFields('fastcgi'))).toBe(200);
    all.headers.push('X-A', 'y');
    expect(await answer(all, withFields('fastcgi'))).toBe(500);
    expect(allHits(all)).toEqual({ maxReplyHeaderBytes: 1, maxReplyHeaders: 1 });
  });

  it('L21: an environ application that sends too much is told, and its client gets 500', async () => {
    const application = environHandler(() => ({ status: 200, headers: { 'x-a': 'y'.repeat(70_000) }, body: 'hello' }));
    const all = await limited('scgi', {}, application);
    expect(await answer(all, withFields('scgi'))).toBe(500);
    expect(allHits(all)).toEqual({ maxReplyHeaderBytes: 1 });
  });
});

describe('a reply that the peer does not read', () => {
  it.each(fiveProtocols)(
    'L20: over %s write() says false when 1000 bytes wait, and the counter tells',
    async (protocol) => {
      const all = await limited(protocol, { replyHighWater: 1000 }, silent);
      const peer = await all.connect();
      peer.write(withFields(protocol));
      const writer = (await all.asked()).start(200, 'OK', []);
      // in AJP alone the head does not wait in one queue with the body
      const [first, second] = protocol === 'ajp' ? [999, 1] : [500, 500];
      expect(writer.write('x'.repeat(first))).toBe(true);
      expect(hits(all, 'replyHighWater')).toBe(0);
      expect(writer.write('x'.repeat(second))).toBe(false);
      expect(allHits(all)).toEqual({ replyHighWater: 1 });
      await new Promise<void>((resolve) => writer.onDrain(resolve));
      expect(writer.write('x')).toBe(true);
      writer.end();
    },
  );
});

describe('what is written for the error log', () => {
  async function logging(
    protocol: OneOfFive,
    limits: SomeLimits,
  ): Promise<{ all: Limited; logged(...lines: string[]): Promise<string> }> {
    let lines: string[] = [];
    const said = jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
    const all = await limited(protocol, limits, (exchange: Exchange) => {
      for (const line of lines) exchange.errors.write(line);
      exchange.respond(200, 'OK', [], 'hello');
    });
    return {
      all,
      async logged(...given) {
        lines = given;
        said.mockClear();
        const peer = await all.connect();
        peer.write(withFields(protocol));
        await peer.when(() => peer.text.includes('hello'));
        if (protocol === 'fastcgi') return (await peer.reply()).stderr;
        return said.mock.calls.map(([text]) => String(text)).join('');
      },
    };
  }

  const carried = ['fastcgi', 'scgi', 'ajp', 'uwsgi', 'http'] as const;

  it.each(carried)('L23: a line of 100 bytes over %s passes, what is more is counted', async (protocol) => {
    const { all, logged } = await logging(protocol, { maxStderrLineBytes: 100 });
    for (const size of [99, 100]) expect(await logged('x'.repeat(size))).toBe(`${'x'.repeat(size)}\n`);
    expect(allHits(all)).toEqual({});
    expect(await logged('x'.repeat(101))).toBe(`${'x'.repeat(100)} [1 bytes dropped]\n`);
    expect(await logged(`short\n${'x'.repeat(1_000_000)}\nshort`)).toBe(
      `short\n${'x'.repeat(100)} [999900 bytes dropped]\nshort\n`,
    );
    expect(allHits(all)).toEqual({ maxStderrLineBytes: 2 });
  });

  it.each(carried)('L23: 1000 bytes of one request over %s pass, what is more is cut', async (protocol) => {
    const { all, logged } = await logging(protocol, { maxStderrBytes: 1000 });
    const lines = (bytes: number): string[] => ['y'.repeat(499), 'z'.repeat(bytes - 501)];
    for (const size of [999, 1000]) expect((await logged(...lines(size))).length).toBe(size);
    expect(allHits(all)).toEqual({});
    const cut = await logged(...lines(1001), 'never', 'never');
    expect(cut).toBe(`${'y'.repeat(499)}\n${'z'.repeat(500)} [the rest is dropped]\n`);
    const endless = await logged(...Array.from({ length: 10_000 }, () => 'x'.repeat(99)));
    expect(endless.length).toBeLessThan(1100);
    expect(allHits(all)).toEqual({ maxStderrBytes: 2 });
  });

  it('L23: the defaults are 8192 bytes a line and 65536 a request', async () => {
    const { all, logged } = await logging('fastcgi', {});
    expect(await logged('x'.repeat(8192))).toBe(`${'x'.repeat(8192)}\n`);
    expect(await logged('x'.repeat(8193))).toMatch(/ \[1 bytes dropped\]\n$/);
    const eight = Array.from({ length: 8 }, () => 'x'.repeat(8191));
    expect((await logged(...eight)).length).toBe(65_536);
    expect(await logged(...eight, 'x')).toMatch(/ \[the rest is dropped\]\n$/);
    expect(allHits(all)).toEqual({ maxStderrLineBytes: 1, maxStderrBytes: 1 });
  });
});
