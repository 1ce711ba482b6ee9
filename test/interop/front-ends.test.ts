import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type FrontEnd,
  freePort,
  http,
  portOf,
  type Served,
  servePostern,
  startApache,
  startLighttpd,
  startNginx,
  startPostern,
} from '../../packages/testkit/src/index.ts';
import { describeScenarios, type Quirks } from './scenarios.ts';

/** One file, listening on every protocol at once. */
const protocols = ['fastcgi', 'scgi', 'uwsgi', 'ajp', 'http'] as const;
type ProtocolName = (typeof protocols)[number];
type WebServer = 'nginx' | 'apache' | 'lighttpd';

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

/** A web server with what `postern config` prints for it, unedited. */
async function startByConfig(server: WebServer, protocol: ProtocolName): Promise<FrontEnd> {
  const lighttpdAjp = server === 'lighttpd' && protocol === 'ajp';
  const address = addresses.get(lighttpdAjp ? 'ajp of lighttpd' : protocol) as string;
  const listen = lighttpdAjp ? `${address}?peer=lighttpd` : address;
  const print = async (port: number): Promise<string> => {
    const printed = startPostern(['config', server, '--listen', listen, '--server-name', `127.0.0.1:${port}`]);
    expect(await printed.ended()).toEqual({ code: 0, signal: null });
    return printed.output();
  };
  const port = await freePort();
  const text = await print(port);
  if (server === 'nginx') return { ...(await startNginx(() => text, port)), port };
  return { ...(await (server === 'apache' ? startApache([], () => text) : startLighttpd(() => text))), port };
}

/**
 * What the web servers do by themselves, as seen (nginx 1.22.1, Apache 2.4.71, lighttpd 1.4.69):
 * mod_proxy_scgi and mod_proxy_uwsgi answer 411 to a chunked upload; lighttpd's mod_ajp13 answers 400 to PATCH, knows no
 * method but AJP's own, and sends the decoded path; Apache and lighttpd notice that a client left when they write to it;
 * lighttpd may show a reply as complete that is cut together with its first bytes.
 */
const cases: { server: WebServer; protocol: ProtocolName; quirks?: Quirks }[] = [
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
];

describe.each(cases)('$server by config, over $protocol', ({ server, protocol, quirks }) => {
  let frontEnd: FrontEnd;

  beforeAll(async () => {
    frontEnd = await startByConfig(server, protocol);
  });
  afterAll(() => frontEnd.stop());

  describeScenarios(`${server} over ${protocol}`, () => frontEnd.port, {
    hearsByWriting: server !== 'nginx',
    completesOnClose: server !== 'nginx',
    ...quirks,
  });

  it('keeps the port of Host', async () => {
    const reply = await http({ port: frontEnd.port, path: '/' });
    expect(JSON.parse(reply.text).headers.host).toBe(`127.0.0.1:${frontEnd.port}`);
  });
});

describe('the same file, asked without a web server', () => {
  it('answers over http', async () => {
    const port = portOf(addresses.get('http') as string);
    expect(JSON.parse((await http({ port, path: '/a%2Fb' })).text).url).toBe('/a%2Fb');
  });
});
