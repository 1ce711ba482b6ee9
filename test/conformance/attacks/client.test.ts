import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { ajp } from '@postern/ajp';
import { request } from '@postern/client';
import type { ClientProtocol } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import { hex, readRecords, record } from '@postern/testkit';
import { uwsgi } from '@postern/uwsgi';
import { answering, codeOf, question, type Scripted, scripted, until } from './attacked.ts';

const GET = ['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/', 'CONTENT_LENGTH', '0'];
const END = record(3, 1, hex('0000000000000000'));

/** A back-end that never answers, and how asking it went. */
async function asked(protocol: ClientProtocol, variables: string[]): Promise<{ code: unknown; back: Scripted }> {
  const back = await scripted(() => {});
  return { code: await codeOf(request(protocol, back.target, { variables, timeout: 100 })), back };
}

/** The pairs of PARAMS records, each of which must hold whole ones. */
function pairsOf(heard: string): [string, string][] {
  const found: [string, string][] = [];
  for (const { type, content, padding } of readRecords(heard)) {
    if (type !== 4) continue;
    expect(content.length + padding.length).toBeLessThanOrEqual(65_535);
    const bytes = Buffer.from(content, 'latin1');
    let at = 0;
    const length = (): number => {
      if (bytes[at] < 128) return bytes[at++];
      at += 4;
      return bytes.readUInt32BE(at - 4) & 0x7fffffff;
    };
    while (at < bytes.length) {
      const [name, value] = [length(), length()];
      if (at + name + value > bytes.length) throw new Error('a pair goes on in the next record');
      found.push([content.slice(at, at + name), content.slice(at + name, at + name + value)]);
      at += name + value;
    }
  }
  return found;
}

describe('what our client sends', () => {
  it('F4: no pair is split between two records, and none is larger than PHP reads', async () => {
    const variables = [...GET];
    for (let i = 0; i < 60; i++) variables.push(`HTTP_X_${i}`, 'v'.repeat(5000 + i));
    const { back } = await asked(fastcgi, variables);
    expect(pairsOf(back.heard[0]).flat()).toEqual(variables);
    expect(readRecords(back.heard[0]).filter(({ type }) => type === 4).length).toBeGreaterThan(5);
  });

  it.each([
    ['fastcgi', fastcgi],
    ['scgi', scgi],
    ['uwsgi', uwsgi],
    ['ajp', ajp],
  ] as const)(
    'F6 (CVE-2007-4727): over %s what is too long to be sent is refused before a byte is',
    async (_, protocol) => {
      // what would wrap a length of 16 bits, and what a cut would make another variable of
      const long = `${'x'.repeat(65_536)}SCRIPT_FILENAME\0/etc/passwd\0`;
      for (const value of [long, 'x'.repeat(70_000).concat('\r\n'), 'a\0SCRIPT_FILENAME\0/etc/passwd']) {
        const { code, back } = await asked(protocol, [...GET, 'HTTP_X', value]);
        expect(code).toMatch(/^ERR_ENV_(?:VALUE|ITEM|BYTES)$/);
        expect(back.heard).toEqual([]);
      }
    },
  );

  it('F6 (CVE-2007-4727): a variable that fits no record is refused over fastcgi, not cut', async () => {
    const { code, back } = await asked(fastcgi, [...GET, 'HTTP_X', 'x'.repeat(65_536)]);
    expect(code).toBe('ERR_ENV_ITEM');
    expect(back.heard).toEqual([]);
  });

  it.each([
    ['uwsgi', uwsgi, 'ERR_ENV_BYTES'],
    ['ajp', ajp, 'ERR_ENV_BYTES'],
  ] as const)(
    'U6 (CVE-2020-11984): over %s more variables than a length can say are refused',
    async (_, protocol, expected) => {
      const variables = [...GET];
      for (let i = 0; i < 20; i++) variables.push(`HTTP_X_${i}`, 'v'.repeat(4000));
      const { code, back } = await asked(protocol, variables);
      expect(code).toBe(expected);
      expect(back.heard).toEqual([]);
    },
  );

  it.each([
    ['fastcgi', fastcgi],
    ['scgi', scgi],
    ['uwsgi', uwsgi],
  ] as const)('F23: over %s lengths and values are of one look, though the values change', async (_, protocol) => {
    let looks = 0;
    const volatile = new Proxy([...GET, 'HTTP_X', ''], {
      get(list, key, self) {
        const value = Reflect.get(list, key, self);
        return key === '7' ? 'v'.repeat(++looks) : value;
      },
    });
    const { back } = await asked(protocol, volatile);
    await until(
      () => back.heard[0] ?? '',
      (heard) => heard.includes('HTTP_X'),
    );
    const [heard] = back.heard;
    if (protocol === fastcgi) {
      expect(pairsOf(heard).at(-1)).toEqual(['HTTP_X', expect.stringMatching(/^v+$/)]);
    } else if (protocol === scgi) {
      const [, length, rest] = /^(\d+):([\s\S]*)$/.exec(heard) as RegExpExecArray;
      expect(rest.slice(Number(length))).toBe(',');
      expect(rest.slice(0, Number(length))).toMatch(/\0HTTP_X\0v+\0/);
    } else {
      const bytes = Buffer.from(heard, 'latin1');
      expect(bytes.readUInt16LE(1)).toBe(bytes.length - 4);
      const at = bytes.indexOf('HTTP_X') + 6;
      expect(bytes.toString('latin1', at + 2)).toBe('v'.repeat(bytes.readUInt16LE(at)));
    }
  });
});

describe('what a back-end answers our client', () => {
  const ask = async (protocol: ClientProtocol, bytes: Uint8Array | string): Promise<string> => {
    const { target } = await answering(bytes);
    const answer = await request(protocol, target, question);
    return `${answer.status} ${JSON.stringify(answer.headers)} ${await text(answer.body)}`;
  };

  it('F7 (CVE-2010-3872): a head is the same wherever records and reads divide it', async () => {
    const head = `Status: 404 Not Found\r\nX-Long: ${'v'.repeat(40)}\r\nContent-Length: 5\r\n\r\nhello`;
    const whole = await ask(fastcgi, Buffer.concat([record(6, 1, head), END]));
    expect(whole).toMatch(/^404 .* hello$/);
    for (let at = 1; at < head.length; at++) {
      const split = Buffer.concat([record(6, 1, head.slice(0, at)), record(6, 1, head.slice(at)), END]);
      expect([at, await ask(fastcgi, split)]).toEqual([at, whole]);
    }
  });

  it.each([
    ['one line', `X: ${'v'.repeat(70_000)}`],
    ['many lines', 'X: v\r\n'.repeat(12_000)],
    ['a name without an end', 'X'.repeat(70_000)],
  ])('F7 (CVE-2014-3583): a head without an end is refused (%s)', async (_, head) => {
    const records = head.match(/[\s\S]{1,30000}/g)?.map((part) => record(6, 1, part)) ?? [];
    expect(await codeOf(ask(fastcgi, Buffer.concat([...records, END])))).toBe('ERR_REPLY');
    expect(await codeOf(ask(scgi, head))).toBe('ERR_REPLY');
    expect(await codeOf(ask(uwsgi, `HTTP/1.1 200 OK\r\n${head}`))).toBe('ERR_REPLY');
  });

  it.each([
    ...['HTTP/1.1 200OK', 'HTTP/1.1 20 OK', 'HTTP/1.1 2000 OK', 'HTTP/1.1 abc OK', 'HTTP/1.1 -200 OK', 'HTTP/1.1'],
    ...['HTTP/1.1 200 OK\rSet-Cookie: a=b', 'HTTP/1.1 200 O\0K', 'http/1.1 200 OK', 'HTTP/1.1  200 OK'],
  ])('U6 (CVE-2023-27522): a status line %j is refused', async (line) => {
    expect(await codeOf(ask(uwsgi, `${line}\r\nContent-Type: text/plain\r\n\r\nhi`))).toBe('ERR_REPLY');
  });

  it.each([
    'HTTP-Odd: x\r\nStatus: 203 Maybe\r\n\r\nhi',
    'HTTP: x\r\nStatus: 203\r\n\r\nhi',
    'HTTP/1.1 203 Maybe\r\nX-A: b\r\n\r\nhi',
    'H: x\r\n\r\nhi',
    'HTTP/1.1x 203 Maybe\r\nX-A: b\r\n\r\nhi',
  ])('U7 (CVE-2026-42946): whether a first line %j is a status line does not depend on the reads', async (reply) => {
    const outcome = async (pieces: string[]): Promise<string> => {
      const { target } = await scripted(async (socket) => {
        socket.removeAllListeners('data');
        socket.setNoDelay(true);
        for (const piece of pieces) await new Promise((resolve) => socket.write(piece, () => setImmediate(resolve)));
        socket.end();
      });
      return request(uwsgi, target, question).then(
        async ({ status, headers, body }) => `${status} ${JSON.stringify(headers)} ${await text(body)}`,
        (error) => error.code,
      );
    };
    const whole = await outcome([reply]);
    expect(await outcome([...reply])).toBe(whole);
    for (let at = 1; at < reply.length; at++)
      expect([at, await outcome([reply.slice(0, at), reply.slice(at)])]).toEqual([at, whole]);
  });
});
