import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { environHandler } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { Server } from '@postern/server';
import { begin, pairs, params, plainGet, request } from '@postern/testkit';
import { atEnd, attacked, connectTo, send } from './attacked.ts';

const NASTY = '\x1b]0;owned\x07\x1b[31m\r\nwarn event=limit forged\x00\x7f\x9b';

afterEach(() => {
  jest.restoreAllMocks();
});

/** What a server with its own log writes to stderr. */
async function stderrOf(app: () => never | { status: number }, bytes: Uint8Array): Promise<string> {
  let written = '';
  jest.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    written += chunk;
    return true;
  });
  const server = new Server(environHandler(app));
  atEnd(() => server.close(0));
  const address = await server.listen(fastcgi, { transport: 'tcp', host: '127.0.0.1', port: 0 });
  const peer = await connectTo(address);
  peer.write(bytes);
  await peer.gone();
  return written;
}

/** No control but the ends of lines, which are as many as were meant. */
function expectHarmless(text: string): void {
  expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  expect(text).not.toMatch(/^warn event=limit forged/m);
}

describe('what a peer can write into the log', () => {
  it.each([
    ['a method', request({ ...plainGet, REQUEST_METHOD: NASTY.replace('\x00', '') })],
    ['a protocol', request({ ...plainGet, SERVER_PROTOCOL: NASTY.replace('\x00', '') })],
    ['a length', request({ ...plainGet, CONTENT_LENGTH: NASTY.replace('\x00', '') })],
    ['a name', request({ ...plainGet, [NASTY]: 'x' })],
    ['no protocol at all', Buffer.from(`PROXY ${NASTY}\r\n`, 'latin1')],
  ])('D17 (CVE-2024-9026): %s is one line of the log, without controls', async (_, bytes) => {
    const text = await stderrOf(() => ({ status: 200 }), bytes);
    expect(text).toMatch(/^warn event=protocol_error [^\n]*\n$/);
    expectHarmless(text);
  });

  it('D17 (CVE-2024-9026): the target of a request that failed is told without controls', async () => {
    const app = (): never => {
      throw new Error(`failed ${NASTY}`);
    };
    const text = await stderrOf(app, request({ ...plainGet, REQUEST_URI: `/${NASTY.replace(/[\x00\r\n]/g, '')}` }));
    expect(text).toContain('failed');
    expectHarmless(text);
  });

  it('D17 (CVE-2024-9026): nor has what goes to the log of the web server', async () => {
    const all = await attacked('fastcgi', {
      app: (environ) => {
        // its line ends are lines of that log
        environ['gateway.errors'].write(`told ${NASTY.replace('\n', '')}\n`);
        return { status: 200 };
      },
    });
    const { peer } = await send(all, request());
    const [{ stderr }] = peer.partial;
    expect(stderr).toContain('told');
    expectHarmless(stderr);
  });

  it('D18: a request with a secret that fails to parse has it nowhere in the log', async () => {
    const secret = { HTTP_AUTHORIZATION: 'Basic aHVudGVyMg==', HTTP_COOKIE: 'session=s3cr3t' };
    const cut = pairs({ ...plainGet, ...secret, CONTENT_LENGTH: 'x' });
    for (const bytes of [
      request({ ...plainGet, ...secret, CONTENT_LENGTH: 'x' }),
      Buffer.concat([begin(), params(cut.subarray(0, -3)), params()]),
    ]) {
      const text = await stderrOf(() => ({ status: 200 }), bytes);
      expect(text).not.toBe('');
      expect(text).not.toMatch(/aHVudGVyMg|s3cr3t/);
    }
  });
});
