import { describe, expect, it } from '@jest/globals';
import { begin, hex, pairs, params, plainGet, readReplies, record, request, stdin } from '@postern/testkit';
import { bytes } from '../../../packages/uwsgi/test/writer.ts';
import { attacked, type Peer, probe, refused, send, until } from './attacked.ts';
import { withVariables } from './fields.ts';

/** Bytes in buffers that were made while something ran. */
async function allocated(run: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().arrayBuffers;
  await run();
  return process.memoryUsage().arrayBuffers - before;
}

async function closedEarly(peer: Peer, flood: Buffer): Promise<void> {
  peer.write(flood);
  await peer.gone();
}

describe('records that cost time and say nothing', () => {
  it('D3: a million empty records are cut off at the limit of what is passed over', async () => {
    const all = await attacked('fastcgi', { limits: { maxJunkRecords: 64 } });
    const peer = await all.connect();
    await closedEarly(peer, Buffer.concat(Array(1000).fill(Buffer.concat(Array(1000).fill(record(5, 9))))));
    expect(peer.size).toBe(0);
    expect(all.sockets[0].bytesRead).toBeLessThan(1_000_000);
    expect(all.logs.map(({ code }) => code)).toEqual(['ERR_FCGI_JUNK']);
    expect(all.seen).toEqual([]);
    await probe(all);
  });

  it('D3: empty records of a request that never becomes whole do not put off the clock of its head', async () => {
    const all = await attacked('fastcgi', { limits: { headersTimeout: 10_000 } });
    const peer = await all.connect();
    const head = Buffer.concat([begin(), params(pairs(plainGet))]);
    peer.write(Buffer.concat([head, ...Array(20_000).fill(record(8, 1))]));
    await until(
      () => all.sockets[0].bytesRead,
      (count) => count === head.length + 160_000,
    );
    expect(peer.size).toBe(0);
    all.clock.advance(11_000);
    const [{ stdout }] = await peer.replies(1);
    expect(stdout).toMatch(/^Status: 408 /);
    expect(all.seen).toEqual([]);
  });

  it('D5: one connection begins no more requests than it may', async () => {
    const all = await attacked('fastcgi', { limits: { maxConcurrentPerConnection: 16 } });
    const peer = await all.connect();
    peer.write(Buffer.concat(Array.from({ length: 17 }, (_, i) => begin(i + 1, 1))));
    await peer.replies(1);
    const [refusal] = readReplies(peer.bytes).replies;
    expect(refusal).toMatchObject({ id: 17, stdout: expect.stringMatching(/^Status: 503 /), end: '0000000000000000' });
    // the others are still good
    peer.write(Buffer.concat([params(pairs(plainGet), 16), params('', 16), stdin('', 16)]));
    await peer.replies(2);
    expect(all.seen).toHaveLength(1);
  });

  it('D5: nor does it keep thousands of them', async () => {
    const all = await attacked('fastcgi');
    const peer = await all.connect();
    peer.write(Buffer.concat(Array.from({ length: 5000 }, (_, i) => begin(i + 1, 1))));
    const refusals = await peer.replies(5000 - 128);
    expect(refusals.every(({ id, stdout }) => id > 128 && stdout.startsWith('Status: 503 '))).toBe(true);
    expect(all.seen).toEqual([]);
    await probe(all);
  });
});

describe('names and sizes that a peer chooses', () => {
  it.each(['fastcgi', 'scgi', 'uwsgi'] as const)(
    'D8 (CVE-2011-4885): over %s a thousand names that are numbers are served, one more is not',
    async (protocol) => {
      const all = await attacked(protocol);
      // REQUEST_METHOD, REQUEST_URI, SERVER_PROTOCOL; SCGI has CONTENT_LENGTH and SCGI too
      const others = protocol === 'scgi' ? 5 : 3;
      const numbers = Array.from({ length: 1000 - others }, (_, i) => [String(i * 65_536), 'x'] as const);
      const { status } = await send(all, withVariables(protocol, ...numbers));
      expect(status).toBe(200);
      const { environ } = all.seen[0];
      expect(numbers.filter(([name]) => environ[name] !== 'x')).toEqual([]);
      expect(environ['1']).toBeUndefined();
      await refused(all, 431, withVariables(protocol, ...numbers, ['1', 'x']));
    },
  );

  it('D10: memory is taken for what came, not for what was declared', async () => {
    const ajp = await attacked('ajp');
    const scgi = await attacked('scgi');
    const fastcgi = await attacked('fastcgi', { limits: { headersTimeout: 1000 } });
    const uwsgi = await attacked('uwsgi', { limits: { headersTimeout: 1000 } });
    const bytesTaken = await allocated(async () => {
      for (let i = 0; i < 20; i++) {
        await refused(ajp, 400, hex('12 34 ff ff'));
        await refused(scgi, 431, bytes('99999999:'));
        const record65535 = await fastcgi.connect();
        record65535.write(Buffer.concat([begin(), hex('01 04 00 01 ff ff ff 00')]));
        (await uwsgi.connect()).write(hex('00 ff ff 00'));
      }
    });
    expect(bytesTaken).toBeLessThan(20 * 65_535);
    for (const all of [ajp, scgi, fastcgi, uwsgi]) expect(all.seen).toEqual([]);
    await probe(scgi);
  });

  it('D10: a length of body that is declared takes no memory either', async () => {
    const all = await attacked('fastcgi', { app: () => ({ status: 200 }) });
    const post = { ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '9007199254740991' };
    const taken = await allocated(() => send(all, request(post)));
    expect(taken).toBeLessThan(1 << 20);
    expect(all.seen[0].environ.CONTENT_LENGTH).toBe('9007199254740991');
  });
});
