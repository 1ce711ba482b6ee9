import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { answerOf, askHttp as ask, openHttp as open } from '@postern/testkit';
import { type Demo, startDemo } from '../../src/demo/start-demo.ts';

let demo: Demo;
let port: number;
let log: string[];

beforeEach(async () => {
  log = [];
  demo = await startDemo({ port: 0, log: (line) => log.push(line) });
  port = Number(new URL(demo.url).port);
});
afterEach(() => demo.close(0));

/** The value that the page shows for a variable, as markup. */
function shown(page: string, name: string): string | undefined {
  const rows = page.matchAll(/<tr><th scope="row">(.*?)<\/th><td>(.*?)<\/td><\/tr>/gs);
  for (const [, title, value] of rows) if (title.replaceAll('<wbr>', '') === name) return value;
  return undefined;
}

describe('the page of the demo', () => {
  it('shows the environ as the app saw it, on any path', async () => {
    const { status, headers, text } = await ask(port, '/a%2Fb?x=1', { headers: { 'X-Probe': 'one' } });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(shown(text, 'REQUEST_METHOD')).toBe('GET');
    expect(shown(text, 'REQUEST_URI')).toBe('/a%2Fb?x=1');
    expect(shown(text, 'PATH_INFO')).toBe('/a/b');
    expect(shown(text, 'QUERY_STRING')).toBe('x=1');
    expect(shown(text, 'SERVER_PORT')).toBe(String(port));
    expect(shown(text, 'REMOTE_ADDR')).toBe('127.0.0.1');
    expect(shown(text, 'HTTP_X_PROBE')).toBe('one');
    expect(shown(text, 'gateway.protocol')).toBe('fastcgi');
  });

  it('has no markup of the request in it, wherever that came', async () => {
    const nasty = `"'><img src=x onerror=alert(1)>`;
    const path = '/%3Cscript%3Ealert(1)%3C/script%3E?<script>alert(2)</script>';
    const { text } = await ask(port, path, { headers: { 'X-Nasty': nasty, Host: nasty, 'User-Agent': nasty } });
    expect(shown(text, 'PATH_INFO')).toBe('/&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(shown(text, 'HTTP_X_NASTY')).toBe('&quot;&#39;&gt;&lt;img src=x onerror=alert(1)&gt;');
    expect(text).not.toMatch(/<script>alert|<img src/);
    expect(text.match(/<script/g)).toHaveLength(1);
  });

  it('may run its own script and style alone, and loads nothing from elsewhere', async () => {
    const { headers, text } = await ask(port, '/');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    for (const tag of ['script', 'style']) {
      const source = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(text)?.[1] as string;
      expect(policy).toContain(`${tag}-src 'sha256-${createHash('sha256').update(source).digest('base64')}'`);
    }
    for (const [, target] of text.matchAll(/(?:src|href|action)="([^"]*)"/g))
      expect(target).toMatch(/^(?:\/(?!\/)|#|data:)/);
  });

  it('has the configuration of nginx for the app that it shows', async () => {
    const { text } = await ask(port, '/');
    expect(text).toContain('server unix:/tmp/app.sock;');
    expect(text).toContain('fastcgi_param REQUEST_URI');
  });

  it('is not sent to HEAD, but its length is', async () => {
    const { status, headers, text } = await ask(port, '/', { method: 'HEAD' });
    expect({ status, text }).toEqual({ status: 200, text: '' });
    expect(Number(headers['content-length'])).toBeGreaterThan(10_000);
  });
});

describe('a body sent to the demo', () => {
  const body = Buffer.alloc(3_000_000, 'through the little door');
  const sha256 = createHash('sha256').update(body).digest('hex');

  it('is counted and hashed, on the page', async () => {
    const headers = { 'Content-Type': 'application/octet-stream' };
    const { text } = await ask(port, '/upload', { method: 'POST', body, headers });
    expect(text).toContain('<dd id="received-bytes">3000000</dd>');
    expect(text).toContain(`<dd id="received-sha256">${sha256}</dd>`);
    expect(shown(text, 'CONTENT_LENGTH')).toBe('3000000');
    expect(shown(text, 'gateway.input')).toContain('3000000 bytes, read');
  });

  it.each(['Content-Length', 'Transfer-Encoding'])('is answered in JSON to who asks for it (%s)', async (framing) => {
    const headers = { Accept: 'application/json', [framing]: framing === 'Content-Length' ? '3000000' : 'chunked' };
    const got = await ask(port, '/upload', { method: 'PUT', body, headers });
    expect(got.headers['content-type']).toBe('application/json');
    expect(JSON.parse(got.text)).toEqual({ bytes: 3_000_000, sha256, pieces: expect.any(Number) });
  });

  it('may be empty', async () => {
    const headers = { Accept: 'application/json', 'Content-Length': '0' };
    const { text } = await ask(port, '/upload', { method: 'POST', headers });
    expect(JSON.parse(text)).toMatchObject({ bytes: 0, sha256: createHash('sha256').digest('hex') });
  });
});

describe('the stream of the demo', () => {
  it('comes line by line', async () => {
    const outgoing = open(port, '/stream');
    outgoing.end();
    const incoming = await answerOf(outgoing);
    expect(incoming.headers['content-type']).toBe('text/plain; charset=utf-8');
    const chunks = incoming.setEncoding('utf8')[Symbol.asyncIterator]();
    expect((await chunks.next()).value).toBe('1 of 12, written at 0.0 s\n');
    expect((await chunks.next()).value).toMatch(/^2 of 12, written at 0\.[3-9] s\n$/);
    incoming.destroy();
  });
});

describe('starting and stopping the demo', () => {
  it('keeps the socket of the app in a folder that only its user can enter, and removes it', async () => {
    const path = demo.backEnd.replace('fastcgi+unix:', '');
    expect(statSync(path).isSocket()).toBe(true);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    await demo.close(1000);
    expect(existsSync(dirname(path))).toBe(false);
    await expect(ask(port, '/')).rejects.toThrow('ECONNREFUSED');
  });

  it('on a port that is taken leaves nothing behind', async () => {
    const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('postern-demo-'));
    const before = folders();
    await expect(startDemo({ port, log: () => {} })).rejects.toMatchObject({ code: 'ERR_ADDRESS_IN_USE' });
    expect(folders()).toEqual(before);
  });

  it('closes within the grace although a stream runs and an idle client is connected', async () => {
    const idle = connect(port, '127.0.0.1').on('error', () => {});
    await once(idle, 'connect');
    const outgoing = open(port, '/stream');
    outgoing.end();
    const incoming = await answerOf(outgoing);
    const cut = new Promise<boolean>((resolve) => incoming.on('error', () => resolve(incoming.complete)));
    incoming.resume();
    await demo.close(50);
    expect(await cut).toBe(false);
    expect(log).toEqual([]);
  });
});
