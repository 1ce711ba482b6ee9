import { describe, expect, it } from '@jest/globals';
import type { Environ, Reply } from '@postern/core';
import { fiveProtocols, type OneOfFive, requestInFive } from '@postern/testkit';
import { readMessages } from '../../../packages/ajp/test/writer.ts';
import { type AttackOptions, attacked, type Outcome, send } from './attacked.ts';
import { withFields } from './fields.ts';

async function answered(
  protocol: OneOfFive,
  reply: Reply,
  options: AttackOptions = {},
): Promise<Outcome & { codes: unknown[] }> {
  const all = await attacked(protocol, { app: () => reply, ...options });
  const outcome = await send(all, requestInFive(protocol, '/'));
  return { ...outcome, codes: all.errors.map(({ error }) => (error as { code?: unknown }).code) };
}

/** What a web server passes on to who asked: FastCGI's STDERR goes to its log. */
function passedOn(protocol: OneOfFive, { peer }: Outcome): string {
  return protocol === 'fastcgi' ? peer.partial[0].stdout : peer.text;
}

/** The fields of a reply as a web server reads them, names in lower case. */
function fieldsOf(protocol: OneOfFive, outcome: Outcome): string[] {
  if (protocol === 'ajp') {
    const [head] = readMessages(outcome.peer.text);
    if (head.type !== 'headers') throw new Error(`${head.type} in place of a head`);
    return head.headers.map((text, i) => (i % 2 === 0 ? text.replace('*', '').toLowerCase() : text));
  }
  const head = passedOn(protocol, outcome);
  return head
    .slice(0, head.indexOf('\r\n\r\n'))
    .split('\r\n')
    .filter((line) => /^[^ ]+: /.test(line))
    .flatMap((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(': ') + 2)]);
}

describe.each(fiveProtocols)('over %s', (protocol) => {
  it.each([
    ['a line of its own', { headers: { Location: '/next?x=\r\nSet-Cookie: admin=1' } }],
    ['a line end', { headers: { Location: '/next\nX: y' } }],
    ['a CR', { headers: { 'X-A': 'a\rb' } }],
    ['a NUL', { headers: { 'X-A': 'a\0b' } }],
    ['an end of the head', { headers: { 'X-A': 'a\r\n\r\n<script>' } }],
    ['a line in a name', { headers: { 'X-A: b\r\nX-B': 'c' } }],
    ['a line in the reason', { reason: 'OK\r\nX-A: b' }],
  ])(
    `C4 (CVE-2018-1000164): over ${protocol} %s in a header is a 500, and nothing of it goes out`,
    async (_, reply) => {
      const outcome = await answered(protocol, { status: 200, body: 'body', ...reply });
      expect(outcome.status).toBe(500);
      expect(outcome.codes).toEqual([expect.stringMatching(/^ERR_HEADER_(?:VALUE|NAME)$/)]);
      expect(passedOn(protocol, outcome)).not.toMatch(/next|Set-Cookie|X-A|X-B|script/);
    },
  );

  it(`C5 (CVE-2016-2216): over ${protocol} no character is cut down to a line end`, async () => {
    for (const odd of ['\u010d\u010aSet-Cookie: a', '\u0a0d\u0d0a', '\ud83d\ude00', '\u0100']) {
      for (const reply of [{ headers: { 'X-A': odd } }, { headers: { [`X${odd}`]: 'a' } }, { reason: odd }]) {
        const outcome = await answered(protocol, { status: 200, ...reply });
        expect(outcome.status).toBe(500);
        expect(passedOn(protocol, outcome)).not.toMatch(/Set-Cookie|X-A/);
      }
    }
  });

  it(`C6: over ${protocol} an application cannot say how its reply is framed`, async () => {
    const headers = {
      'Transfer-Encoding': 'chunked',
      Connection: 'keep-alive',
      'Keep-Alive': 'timeout=9',
      Upgrade: 'h2c',
    };
    const outcome = await answered(protocol, { status: 200, headers: { ...headers, 'X-A': 'b' }, body: 'body' });
    expect([outcome.status, outcome.body]).toEqual([200, 'body']);
    const fields = fieldsOf(protocol, outcome);
    expect(fields).toContain('x-a');
    for (const name of ['transfer-encoding', 'keep-alive', 'upgrade']) expect(fields).not.toContain(name);
  });

  it.each([[['4', '5']], [['4, 4']], [['-1']], [['+4']], [['0x4']], [['4 ']], [['']], [['4', '5', '4']]])(
    `C6: over ${protocol} a Content-Length of %j is a 500`,
    async (lengths) => {
      const outcome = await answered(protocol, { status: 200, headers: { 'Content-Length': lengths }, body: 'body' });
      expect(outcome.status).toBe(500);
      expect(outcome.codes).toEqual(['ERR_CONTENT_LENGTH']);
    },
  );

  it(`C9: over ${protocol} a file is named by the application alone, never by who asks`, async () => {
    const fields = ['X-Sendfile', 'X-Accel-Redirect', 'X-LIGHTTPD-send-file', 'X-Reproxy-URL'] as const;
    const app = ({ HTTP_X_ASK: ask }: Environ): Reply => ({
      status: 200,
      headers: ask === undefined ? { 'Content-Type': 'text/plain' } : { 'X-Sendfile': '/srv/file' },
    });
    const all = await attacked(protocol, { app });
    const reflected = await send(all, withFields(protocol, ...fields.map((name) => [name, '/etc/passwd'] as const)));
    expect(reflected.status).toBe(200);
    expect(passedOn(protocol, reflected)).not.toMatch(/passwd|sendfile|accel|reproxy/i);
    const meant = await send(all, withFields(protocol, ['X-Ask', '1'], ['X-Sendfile', '/etc/passwd']));
    expect(fieldsOf(protocol, meant)).toEqual(expect.arrayContaining(['x-sendfile', '/srv/file']));
    expect(passedOn(protocol, meant)).not.toContain('passwd');
  });

  it(`D18: over ${protocol} who asks learns nothing of a failure`, async () => {
    const app = (): never => {
      throw new Error('password=hunter2 at /srv/app/secret.js');
    };
    const all = await attacked(protocol, { app });
    const failed = await send(
      all,
      withFields(protocol, ['Authorization', 'Basic aHVudGVyMg=='], ['Cookie', 'session=s3cr3t']),
    );
    expect(failed.status).toBe(500);
    expect(passedOn(protocol, failed)).not.toMatch(/hunter2|secret|s3cr3t|aHVudGVyMg|\/srv\/|\.js/);
    expect(failed.peer.text + JSON.stringify(all.logs)).not.toMatch(/s3cr3t|aHVudGVyMg/);
    expect(all.errors).toHaveLength(1);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('x');
      },
    ],
    ['rejects', () => Promise.reject(new Error('x'))],
    ['answers with nothing', () => undefined],
    ['answers with a number', () => 42],
    ['answers with an impossible status', () => ({ status: 20 })],
  ])(`D19: over ${protocol} an application that %s is a 500`, async (_, app) => {
    const all = await attacked(protocol, { app: app as AttackOptions['app'] });
    const { status } = await send(all, requestInFive(protocol, '/'));
    expect(status).toBe(500);
  });
});
