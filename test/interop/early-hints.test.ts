import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sites, startSites, ways } from './sites.ts';

/**
 * What passes an interim reply on, as seen (Apache 2.4.71, lighttpd 1.4.69, Caddy 2.6.2, HAProxy 2.6.12). Any other would
 * take it for the reply: nginx 1.22.1 over HTTP too.
 */
const carries = [
  'apache over http',
  'lighttpd over fastcgi',
  'lighttpd over scgi',
  'lighttpd over uwsgi',
  'lighttpd over ajp',
  'lighttpd over http',
  'lighttpd with mod_cgi',
  'caddy over http',
  'haproxy over http',
];

interface Got {
  readonly interim: { readonly status: number; readonly link: unknown }[];
  readonly status: number | undefined;
  readonly told: unknown;
  readonly body: string;
}

function ask(port: number): Promise<Got> {
  return new Promise((resolve, reject) => {
    const interim: { status: number; link: unknown }[] = [];
    const asked = request({ host: '127.0.0.1', port, path: '/', agent: false }, (response) => {
      text(response).then(
        (body) => resolve({ interim, status: response.statusCode, told: response.headers['x-told'], body }),
        reject,
      );
    });
    asked.on('information', ({ statusCode, headers }) => {
      // a 100 that was not asked for says nothing
      if (statusCode !== 100) interim.push({ status: statusCode, link: headers.link });
    });
    asked.on('error', reject);
    asked.end();
  });
}

const link = '</a.css>; rel=preload; as=style';
const hints = [{ status: 103, link }];
const sent = { node: [{ status: 102, link: undefined }, ...hints], fetch: hints, environ: hints };

describe.each(['node', 'fetch', 'environ'] as const)('early hints of a %s app, by config', (kind) => {
  let sites: Sites;

  beforeAll(async () => {
    sites = await startSites(`test/fixtures/early-hints/${kind}.mjs`);
  });
  afterAll(() => sites.stop());

  it.each(ways.map(({ name }, place) => ({ name, place, passes: carries.includes(name) })))(
    '$name: pass: $passes; the reply arrives whole in any case',
    async ({ place, passes }) => {
      const got = await ask(sites.ports[place]);
      expect(got).toEqual({
        interim: passes ? sent[kind] : [],
        status: 200,
        told: kind === 'node' ? undefined : String(passes),
        body: 'the reply\n',
      });
    },
  );
});
