import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FrontEnd, http, portOf, type Served, servePostern } from '../../packages/testkit/src/index.ts';
import { multiplexing, replaced, startByConfig, type WebServer } from './by-config.ts';
import { describeScenarios, type Quirks } from './scenarios.ts';

/** One file, listening on every protocol at once. */
const protocols = ['fastcgi', 'scgi', 'uwsgi', 'ajp', 'http'] as const;
type ProtocolName = (typeof protocols)[number];

let app: Served;
const addresses = new Map<string, string>();

beforeAll(async () => {
  const listen = protocols.map((name) => `${name}://127.0.0.1:0`);
  app = await servePostern('test/fixtures/plain.mjs', [...listen, 'ajp://127.0.0.1:0?peer=lighttpd']);
  app.addresses.forEach((address, i) => {
    addresses.set(protocols[i] ?? 'ajp of lighttpd', address);
  });
});

afterAll(async () => {
  expect((await app.child.stop()).code).toBe(0);
});

/** The address of the app for a web server; lighttpd has an AJP of its own. */
function addressFor(server: WebServer, protocol: ProtocolName): string {
  if (server !== 'lighttpd' || protocol !== 'ajp') return addresses.get(protocol) as string;
  return `${addresses.get('ajp of lighttpd')}?peer=lighttpd`;
}

/**
 * What the web servers do by themselves, as seen (nginx 1.22.1, Apache 2.4.71, lighttpd 1.4.69, Caddy 2.6.2, HAProxy
 * 2.6.12): mod_proxy_scgi and mod_proxy_uwsgi answer 411 to a chunked upload; lighttpd's mod_ajp13 answers 400 to PATCH, knows no
 * method but AJP's own, and sends the decoded path; Apache and lighttpd notice that a client left when they write to it;
 * lighttpd may show a reply as complete that is cut together with its first bytes; Caddy shows every reply as complete
 * that has no Content-Length; HAProxy answers 400 to a chunked upload that its buffer does not hold.
 */
const cases: {
  server: WebServer;
  protocol: ProtocolName;
  quirks?: Quirks;
  /** What is changed in what `postern config` prints. */
  edited?: string;
  edit?: (text: string) => string;
}[] = [
  { server: 'nginx', protocol: 'scgi' },
  { server: 'nginx', protocol: 'uwsgi' },
  { server: 'nginx', protocol: 'http' },
  { server: 'apache', protocol: 'fastcgi' },
  { server: 'apache', protocol: 'ajp' },
  { server: 'apache', protocol: 'scgi', quirks: { chunked: 411 } },
  { server: 'apache', protocol: 'uwsgi', quirks: { chunked: 411 } },
  { server: 'apache', protocol: 'http' },
  { server: 'lighttpd', protocol: 'fastcgi' },
  { server: 'lighttpd', protocol: 'scgi' },
  { server: 'lighttpd', protocol: 'uwsgi' },
  { server: 'lighttpd', protocol: 'ajp', quirks: { noPatch: true, rawUrl: '/a/b%20c?x=1&y' } },
  { server: 'caddy', protocol: 'fastcgi', quirks: { hidesBreaks: true } },
  { server: 'caddy', protocol: 'http', quirks: { hidesBreaks: true } },
  { server: 'haproxy', protocol: 'fastcgi', quirks: { chunked: 400, chunkedUpTo: 40_000 } },
  { server: 'haproxy', protocol: 'http' },
  {
    server: 'apache',
    protocol: 'fastcgi',
    edited: 'with enablereuse=on',
    edit: (text) => replaced(text, 'flushpackets=on', 'flushpackets=on enablereuse=on'),
  },
  {
    server: 'haproxy',
    protocol: 'fastcgi',
    quirks: { chunked: 400, chunkedUpTo: 40_000 },
    edited: 'with mpxs-conns, without get-values',
    edit: (text) => multiplexing(text, false),
  },
  {
    server: 'haproxy',
    protocol: 'fastcgi',
    quirks: { chunked: 400, chunkedUpTo: 40_000 },
    edited: 'with mpxs-conns and get-values',
    edit: (text) => multiplexing(text, true),
  },
  {
    server: 'haproxy',
    protocol: 'fastcgi',
    quirks: { chunked: 400, chunkedUpTo: 40_000 },
    edited: 'without keep-conn',
    edit: (text) => replaced(text, 'option keep-conn', 'no option keep-conn'),
  },
];

describe.each(cases)('$server by config, over $protocol $edited', ({ server, protocol, quirks, edited = '', edit }) => {
  let frontEnd: FrontEnd;

  beforeAll(async () => {
    frontEnd = await startByConfig(server, addressFor(server, protocol), edit);
  });
  afterAll(() => frontEnd.stop());

  describeScenarios(`${server} over ${protocol} ${edited}`, () => frontEnd.port, {
    hearsByWriting: server !== 'nginx',
    completesOnClose: server !== 'nginx',
    ...quirks,
  });

  it('keeps the port of Host', async () => {
    const reply = await http({ port: frontEnd.port, path: '/' });
    expect(JSON.parse(reply.text).headers.host).toBe(`127.0.0.1:${frontEnd.port}`);
  });
});

describe('without the line that passes Authorization on', () => {
  it.each([
    ['apache', 'CGIPassAuth On'],
    ['haproxy', 'pass-header Authorization'],
  ] as const)('%s keeps it for itself', async (server, line) => {
    const frontEnd = await startByConfig(server, addressFor(server, 'fastcgi'), (text) => replaced(text, line, ''));
    const reply = await http({ port: frontEnd.port, headers: { Authorization: 'Bearer abc' } });
    await frontEnd.stop();
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.text).headers).not.toHaveProperty('authorization');
  });
});

describe('the same file, asked without a web server', () => {
  it('answers over http', async () => {
    const port = portOf(addresses.get('http') as string);
    expect(JSON.parse((await http({ port, path: '/a%2Fb' })).text).url).toBe('/a%2Fb');
  });
});
