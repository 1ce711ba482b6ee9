import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ajp } from '@postern/ajp';
import { request, Session } from '@postern/client';
import { chunk, end, getBody, headers, REPLY } from '../../../packages/ajp/test/container.ts';
import { u16 } from '../../../packages/ajp/test/writer.ts';
import { answering, codeOf, question, scripted, until } from './attacked.ts';

const sessions: Session[] = [];
afterEach(() => {
  for (const session of sessions.splice(0)) session.close();
});

const post = ['REQUEST_METHOD', 'POST', 'REQUEST_URI', '/', 'CONTENT_LENGTH', '100'];

describe('a request body that is not sent whole', () => {
  /** Asks for more of the body when some has come, and answers requests without a body. */
  function container() {
    return scripted((socket, heard) => {
      socket.write(heard.includes('/next') ? REPLY : getBody(90));
    });
  }

  it.each([
    [
      'ends too early',
      'ERR_ABORTED',
      async function* () {
        yield Buffer.from('0123456789');
      },
    ],
    [
      'throws',
      'ERR_ABORTED',
      async function* () {
        yield Buffer.from('0123456789');
        throw new Error('the client has left');
      },
    ],
  ] as const)('A6 (CVE-2009-1191): a connection whose request body %s is not used again', async (_, code, body) => {
    const back = await container();
    const session = new Session(ajp, back.target, { atOnce: 1 });
    sessions.push(session);
    expect(await codeOf(session.request({ variables: post, body: body() }))).toBe(code);
    const { status } = await session.request({ variables: ['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/next'] });
    expect(status).toBe(200);
    expect(back.heard).toHaveLength(2);
    expect(back.heard[0]).not.toContain('/next');
    await until(
      () => back.sockets[0].destroyed || back.sockets[0].readableEnded,
      (gone) => gone,
    );
  });

  it('A6 (CVE-2009-1191): a connection whose request was given up is not used again', async () => {
    const back = await container();
    const session = new Session(ajp, back.target, { atOnce: 1 });
    sessions.push(session);
    const giveUp = new AbortController();
    async function* body() {
      yield Buffer.from('0123456789');
      await until(
        () => back.heard.length,
        (count) => count === 1,
      );
      giveUp.abort();
      await new Promise(() => {});
    }
    expect(await codeOf(session.request({ variables: post, body: body(), signal: giveUp.signal }))).toBe('ERR_ABORTED');
    expect((await session.request({ variables: ['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/next'] })).status).toBe(200);
    expect(back.heard[0]).not.toContain('/next');
  });
});

describe('a container that breaks the rules', () => {
  const head = headers([[0xa001, 'text/plain']]);
  const ask = (bytes: Uint8Array): Promise<string> =>
    answering(bytes).then(async ({ target }) => text((await request(ajp, target, question)).body));

  it('A10 (CVE-2026-28780): a packet of packetSize is read, one of a byte more is refused', async () => {
    const most = 8192 - 4 - 4;
    expect(await ask(Buffer.concat([head, chunk('x'.repeat(most)), end()]))).toHaveLength(most);
    expect(await codeOf(ask(Buffer.concat([head, chunk('x'.repeat(most + 1)), end()])))).toBe('ERR_REPLY');
  });

  it.each([0x7fff, 0xfffe, 30])(
    'A11: a header value that claims %i bytes is refused, and nothing of an older packet shows',
    async (length) => {
      const older = headers([[0xa001, 'a secret of the packet before']], { status: 100 });
      const broken = Buffer.from(headers([[0xa001, 'short']]));
      broken.set(u16(length), broken.indexOf('short') - 2);
      const { target } = await answering(Buffer.concat([older, broken, end()]));
      const failure = await request(ajp, target, question).then(
        () => 'answered',
        (error) => `${error.code} ${error.message}`,
      );
      expect(failure).toMatch(/^ERR_REPLY /);
      expect(failure).not.toContain('secret');
    },
  );
});
