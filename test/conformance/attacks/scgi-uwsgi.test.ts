import { describe, expect, it } from '@jest/globals';
import { requestInFive } from '@postern/testkit';
import { block, netstring } from '../../../packages/scgi/test/writer.ts';
import { bytes, get, packet, post, block as vars } from '../../../packages/uwsgi/test/writer.ts';
import { attacked, cut, probe, refused, send } from './attacked.ts';

const ENV = ['REQUEST_METHOD', 'POST', 'REQUEST_URI', '/'];

function scgiPost(length: string, ...more: string[]): string {
  return netstring(block('CONTENT_LENGTH', length, 'SCGI', '1', ...ENV, ...more));
}

describe('SCGI', () => {
  it('S1: a length of endless digits is refused at the seventh', async () => {
    const all = await attacked('scgi');
    await refused(all, 431, bytes('1111111'));
    await refused(all, 431, bytes('1'.repeat(100_000)));
    await refused(all, 431, bytes('131073:'));
    await probe(all);
  });

  it.each(['+5:', '-5:', ' 5:', '5 :', '1_0:', '\u0665:', 'x', ':', '0x5:'])(
    'S1: a length %j is no number, whatever other languages make of it',
    async (length) => {
      const all = await attacked('scgi');
      await cut(all, Buffer.from(length));
      await refused(all, 400, bytes(`07${GET}`));
    },
  );

  it('S2: the application gets CONTENT_LENGTH bytes of body and its end, though the peer sends on', async () => {
    const all = await attacked('scgi');
    const { status } = await send(all, bytes(`${scgiPost('3')}abcdefghij`));
    expect(status).toBe(200);
    expect(all.seen[0].body).toBe('abc');
  });

  it('S2: a body that is too short is no body', async () => {
    const all = await attacked('scgi');
    const peer = await all.connect();
    peer.socket.end(bytes(`${scgiPost('10')}abc`));
    await peer.gone();
    expect(peer.text).not.toContain('200');
    expect(all.seen).toEqual([]);
  });

  it('S3: a second request on the connection is not read', async () => {
    const all = await attacked('scgi');
    const second = requestInFive('scgi', '/second');
    for (const body of ['', 'abc']) {
      const { status, peer } = await send(all, bytes(scgiPost(String(body.length)) + body), second);
      expect(status).toBe(200);
      await peer.gone();
      expect(peer.text.match(/Status:/g)).toHaveLength(1);
    }
    expect(all.seen.map(({ environ }) => environ.REQUEST_URI)).toEqual(['/', '/']);
  });

  it('S4: a block without its last NUL is refused, not served without its last variable', async () => {
    const all = await attacked('scgi');
    const whole = block('CONTENT_LENGTH', '0', 'SCGI', '1', ...ENV, 'REMOTE_USER', 'nobody');
    await refused(all, 400, bytes(netstring(whole.slice(0, -1))));
    await refused(all, 400, bytes(netstring(whole.slice(0, -8))));
  });

  it('S5: CONTENT_LENGTH and SCGI must be first where the address asks for that', async () => {
    const second = netstring(block('SCGI', '1', 'CONTENT_LENGTH', '0', ...ENV));
    const without = netstring(block('CONTENT_LENGTH', '0', ...ENV));
    const strict = await attacked('scgi', { peer: { strict: true } });
    await refused(strict, 400, bytes(second));
    await refused(strict, 400, bytes(without));
    await probe(strict);
  });

  it('S5: by default the order is free, but a length that is missing, empty, wrong or twice is refused', async () => {
    const all = await attacked('scgi');
    expect((await send(all, bytes(netstring(block('SCGI', '1', 'CONTENT_LENGTH', '0', ...ENV))))).status).toBe(200);
    for (const lengths of [[], [''], ['x'], ['-1'], ['+1'], [' 1'], ['1e1'], ['0x1'], ['1,1'], ['1', '2']]) {
      const named = lengths.flatMap((length) => ['CONTENT_LENGTH', length]);
      await refused(all, 400, bytes(netstring(block(...named, 'SCGI', '1', ...ENV))), bytes('a'.repeat(20)));
    }
    await refused(all, 400, bytes(netstring(block('CONTENT_LENGTH', '0', 'SCGI', '2', ...ENV))));
  });
});

const GET = netstring(block('CONTENT_LENGTH', '0', 'SCGI', '1', 'REQUEST_METHOD', 'GET', 'REQUEST_URI', '/'));

describe('uwsgi', () => {
  it('U1: variables that uWSGI loads code by are left out', async () => {
    const all = await attacked('uwsgi');
    const own = { ...process.env };
    const names = 'FILE SCRIPT MODULE CALLABLE APPID CHDIR PYHOME SETENV POSTFILE TOUCH_RELOAD'.split(' ');
    const named = names.flatMap((name) => [`UWSGI_${name}`, 'exec://touch /tmp/owned']);
    const { status, body } = await send(all, get(...named));
    expect([status, body]).toEqual([200, 'served']);
    expect(Object.keys(all.seen[0].environ).filter((name) => name.startsWith('UWSGI_'))).toEqual([]);
    expect(process.env).toEqual(own);
  });

  it('U2: another modifier than 0 is no procedure that is called here', async () => {
    const all = await attacked('uwsgi');
    const content = vars('REQUEST_METHOD', 'GET', 'REQUEST_URI', '/');
    for (const modifier1 of [1, 5, 17, 18, 22, 30, 31, 100, 110, 111, 173, 255])
      await refused(all, 501, packet(content, { modifier1 }));
    await refused(all, 501, packet(content, { modifier2: 7 }));
    await probe(all);
  });

  it('U3: a name that runs past the block is refused, its bytes are not read as lengths', async () => {
    const all = await attacked('uwsgi');
    const whole = vars('REQUEST_METHOD', 'GET', 'REQUEST_URI', '/');
    const inner = vars('REMOTE_USER', 'root');
    for (const length of [inner.length + 1, 0x1000, 0xffff]) {
      const size = Buffer.of(length & 255, length >> 8);
      await refused(all, 400, packet(Buffer.concat([whole, size, inner])));
    }
  });

  it.each(['x', '-1', '+5', ' 5', '5 ', '0x10', '1e1', '5,5', '99999999999999999999'])(
    'U4: a CONTENT_LENGTH of "%s" is refused, and no packet behind it is read',
    async (length) => {
      const all = await attacked('uwsgi');
      const peer = await refused(all, 400, get('CONTENT_LENGTH', length), get());
      expect(peer.text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    },
  );

  it('U4: a packet as the body, or behind it, is no request', async () => {
    const all = await attacked('uwsgi');
    const forged = packet(vars('REQUEST_METHOD', 'GET', 'REQUEST_URI', '/forged'));
    const { peer } = await send(all, post(forged.toString('latin1')), forged);
    await peer.gone();
    expect(peer.text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(all.seen.map(({ environ, body }) => [environ.REQUEST_URI, body])).toEqual([
      ['/p', forged.toString('latin1')],
    ]);
  });

  it('U5: the scheme is not what a variable of a library says', async () => {
    const all = await attacked('uwsgi');
    await send(all, get('wsgi.url_scheme', 'https', 'gateway.url_scheme', 'https'));
    const { environ } = all.seen[0];
    expect(environ['gateway.url_scheme']).toBe('http');
    expect(environ.REQUEST_SCHEME).toBe('http');
    expect(environ).not.toHaveProperty(['wsgi.url_scheme']);
  });
});
