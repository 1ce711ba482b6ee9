import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ping, Session } from '../../packages/client/src/index.ts';
import { fastcgi } from '../../packages/fastcgi/src/index.ts';
import { scgi } from '../../packages/scgi/src/index.ts';
import { type BackEnd, repository, startUwsgi, type UwsgiPorts } from '../../packages/testkit/src/index.ts';
import { uwsgi } from '../../packages/uwsgi/src/index.ts';
import { ask, itAnswersAsAsked, type Peer, pattern, piecesOf, variablesFor } from './peer-scenarios.ts';

const protocols = { uwsgi, scgi, fastcgi };
const names = ['uwsgi', 'scgi', 'fastcgi'] as const;
const application = `${repository}/test/fixtures/peers/app.py`;
let plain: BackEnd<UwsgiPorts>;
let buffering: BackEnd<UwsgiPorts>;

beforeAll(async () => {
  plain = await startUwsgi(application);
  buffering = await startUwsgi(application, ['--post-buffering', '65536', '--plugins', 'ping']);
});
afterAll(async () => {
  await plain.stop();
  await buffering.stop();
});

describe.each(names)('uWSGI over %s', (name) => {
  const peer = (): Peer => ({ protocol: protocols[name], port: plain.ports[name] });
  itAnswersAsAsked(peer, [0, 1, 65_536, 3_000_000]);

  it('is told every variable, and its reason is heard', async () => {
    const reply = await ask(peer(), {
      method: 'PATCH',
      target: '/a%2Fb?x=1',
      variables: ['HTTP_X_ONE', '\xc3\xa9', 'CUSTOM', 'of the test', 'EMPTY', ''],
    });
    expect(JSON.parse(reply.body.toString())).toMatchObject({
      ...{ REQUEST_METHOD: 'PATCH', REQUEST_URI: '/a%2Fb?x=1', PATH_INFO: '/a%2Fb', QUERY_STRING: 'x=1' },
      ...{ SERVER_NAME: 'app.test', SERVER_PORT: '8080', REMOTE_ADDR: '192.0.2.7', HTTP_HOST: 'app.test:8080' },
      ...{ HTTP_X_ONE: '\xc3\xa9', CUSTOM: 'of the test', EMPTY: '' },
    });
    expect((await ask(peer(), { target: '/status?code=404' })).reason).toBe('Of The Test');
  });

  // without --catch-exceptions it sends no byte, so there is no 500 to be heard
  it('closes the connection on an exception, which is the failure of a gateway', async () => {
    await expect(ask(peer(), { target: '/raise' })).rejects.toMatchObject({ code: 'ERR_REPLY', statusHint: 502 });
    await plain.child.said(/ValueError: raised by the test/);
  });

  // it closes on what it has not read, so the kernel resets the connection behind the answer
  it.each([5000, 100_000])('is heard out when it does not read an upload of %i bytes', async (size) => {
    for (let i = 0; i < 10; i++) {
      const reply = await ask(peer(), { method: 'POST', target: '/refuse?code=403', body: pattern(size) });
      expect([reply.status, reply.body.toString()]).toEqual([403, 'refused']);
    }
  });

  // over FastCGI it sometimes reads before the body is there, takes that for an error, and ends the request without a reply
  it('is heard out after a large upload that the application does not read, with --post-buffering', async () => {
    const what = { method: 'POST', target: '/refuse?code=403', body: pattern(3_000_000) };
    const asked = (): ReturnType<typeof ask> => ask({ ...peer(), port: buffering.ports[name] }, what);
    let reply = await asked().catch((error: Error) => error);
    for (let i = 0; i < 20 && reply instanceof Error && name === 'fastcgi'; i++) {
      expect(reply).toMatchObject({ code: 'ERR_REPLY', statusHint: 502 });
      await buffering.child.said(/\[uwsgi-body-read\] Error reading .*: Resource temporarily unavailable/);
      reply = await asked().catch((error: Error) => error);
    }
    if (reply instanceof Error) throw reply;
    expect([reply.status, reply.body.toString()]).toEqual([403, 'refused']);
  });
});

describe.each(['uwsgi', 'scgi'] as const)('uWSGI over %s alone', (name) => {
  const peer = (): Peer => ({ protocol: protocols[name], port: plain.ports[name] });

  it('closes the connection on more variables than its buffer-size, 4096 bytes', async () => {
    await expect(ask(peer(), { variables: ['HTTP_X', 'x'.repeat(5000)] })).rejects.toMatchObject({
      code: 'ERR_REPLY',
      statusHint: 502,
    });
  });

  it('is never asked with a body of unknown length: the client refuses that', async () => {
    const body = piecesOf(pattern(10), 5);
    await expect(ask(peer(), { method: 'POST', body })).rejects.toMatchObject({ code: 'ERR_ENV_LENGTH' });
  });
});

describe('a session with uWSGI', () => {
  // it closes the connection behind every answer, FastCGI's KEEP_CONN or not
  it.each(names)('over %s asks one after the other, on a connection each', async (name) => {
    const target = { transport: 'tcp', host: '127.0.0.1', port: plain.ports[name] } as const;
    const session = new Session(protocols[name], target, { atOnce: 1 });
    const bodies = [1, 1000, 100_000, 10].map(async (bytes) => {
      let heard = 0;
      const { body } = await session.request({ variables: variablesFor({ target: `/down?bytes=${bytes}` }) });
      for await (const piece of body) heard += piece.length;
      return heard;
    });
    expect(await Promise.all(bodies)).toEqual([1, 1000, 100_000, 10]);
    session.close();
  });
});

describe('a ping to uWSGI', () => {
  const askAt = (port: number): Promise<number> => ping(uwsgi, { transport: 'tcp', host: '127.0.0.1', port });

  it('is answered with the ping plugin', async () => {
    expect(await askAt(buffering.ports.uwsgi)).toBeGreaterThan(0);
  });

  it('is taken for no answer without the plugin', async () => {
    await expect(askAt(plain.ports.uwsgi)).rejects.toMatchObject({ code: 'ERR_REPLY' });
  });
});
