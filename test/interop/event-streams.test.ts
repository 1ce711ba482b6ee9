import type { IncomingMessage } from 'node:http';
import { constants, createGunzip } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../../packages/testkit/src/index.ts';
import { Conductor, Listening } from './conductor.ts';
import { type Sites, startSites, type Way, ways } from './sites.ts';

/**
 * What the web servers do by themselves, as seen (nginx 1.22.1, Apache 2.4.71, lighttpd 1.4.69, Caddy 2.6.2, HAProxy
 * 2.6.12).
 */
interface Quirks {
  /** The head of a reply waits for the first bytes of its body. */
  readonly headWaits: boolean;
  /** It hears that a client left when it has something to write to it, not before. */
  readonly hearsByWriting: boolean;
}

const heldHeads = ['apache over fastcgi', 'apache with mod_fcgid'];
const attentive = ['nginx over fastcgi', 'nginx over scgi', 'nginx over uwsgi', 'nginx over http', 'caddy over http'];

function quirksOf(name: string): Quirks {
  return { headWaits: heldHeads.includes(name), hearsByWriting: !attentive.includes(name) };
}

const EVENTS = 8;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean();
});

async function conducted(pace?: number): Promise<{ conductor: Conductor; path: string }> {
  const conductor = new Conductor();
  cleanups.push(() => conductor.close());
  return { conductor, path: `/events?conductor=${await conductor.listen(pace)}` };
}

function listening(...args: ConstructorParameters<typeof Listening>): Listening {
  const stream = new Listening(...args);
  cleanups.push(() => stream.leave());
  return stream;
}

/** An event goes when the one before it has come: what is held back anywhere would hold everything up. */
async function eventsCome(stream: Listening, conductor: Conductor): Promise<void> {
  for (let number = 1; number <= EVENTS; number++) {
    await until(() => conductor.asked, Boolean);
    conductor.go();
    await until(
      () => stream.text,
      (text) => text.endsWith(`data: ${number}\n\n`),
    );
  }
}

/** Over HTTP a (req, res) app has Node's own `res`, which adds no mark for nginx: this one does it by itself. */
function marked({ name }: Way, kind: string): string {
  return kind === 'node' && name === 'nginx over http' ? '&marked' : '';
}

describe.each(['node', 'fetch', 'environ'])('an event stream of a %s app, by config', (kind) => {
  // programs are the same to a web server whatever they are made of
  const chosen = ways.filter(({ program }) => program === undefined || kind === 'node');
  let sites: Sites;

  beforeAll(async () => {
    sites = await startSites(`test/fixtures/event-streams/${kind}.mjs`, chosen);
  });
  afterAll(() => sites.stop());

  describe.each(chosen.map((way, place) => ({ ...way, way, place })))('$name', ({ name, way, place }) => {
    const { headWaits, hearsByWriting } = quirksOf(name);

    it('arrives event by event, and its head before them', async () => {
      const { conductor, path } = await conducted();
      const stream = listening(sites.ports[place], path + marked(way, kind));
      if (!headWaits) await until(() => stream.headed, Boolean);
      await eventsCome(stream, conductor);
      expect(stream.headers['content-type']).toMatch(/^text\/event-stream/);
    });

    it('tells within a second that its client left', async () => {
      const { conductor, path } = await conducted(50);
      const stream = listening(sites.ports[place], path + marked(way, kind));
      await until(
        () => stream.text,
        (text) => text !== '',
      );
      stream.leave();
      await until(() => conductor.leftAt, Boolean, 1000);
    });

    if (hearsByWriting) return;

    it('tells that its client left while nothing is written', async () => {
      const { conductor, path } = await conducted();
      const stream = listening(sites.ports[place], path + marked(way, kind));
      await until(() => conductor.asked && stream.headed, Boolean);
      stream.leave();
      await until(() => conductor.leftAt, Boolean, 1000);
      expect(conductor.asks).toBe(1);
    });
  });
});

/** What docs/how-to/event-streams.md says of compression. */
const compressing: { name: string; lines: string; before: RegExp; compressed: boolean }[] = [
  {
    name: 'nginx over scgi',
    lines: 'gzip on;\ngzip_types text/event-stream;\n',
    before: /^ {4}location/m,
    compressed: true,
  },
  {
    name: 'apache over fastcgi',
    lines: `LoadModule filter_module /usr/lib/apache2/modules/mod_filter.so
LoadModule deflate_module /usr/lib/apache2/modules/mod_deflate.so
AddOutputFilterByType DEFLATE text/event-stream
`,
    before: /^<VirtualHost/m,
    compressed: true,
  },
  {
    name: 'lighttpd over fastcgi',
    lines: 'server.modules += ( "mod_deflate" )\ndeflate.mimetypes = ( "text/" )\n',
    before: /^\$SERVER/m,
    compressed: false,
  },
  {
    name: 'caddy over http',
    lines: 'encode {\ngzip\nmatch {\nheader Content-Type text/html*\n}\n}\n',
    before: /^\treverse_proxy/m,
    compressed: false,
  },
  // it leaves a reply alone that says no-transform
  { name: 'haproxy over http', lines: '    compression algo gzip\n', before: /^ {4}server app/m, compressed: false },
];

describe('an event stream behind a web server that compresses', () => {
  const changed = compressing.map(({ name, lines, before }): Way => {
    const way = ways.find((one) => one.name === name) as Way;
    return { ...way, change: (printed) => printed.replace(before, (found) => lines + found) };
  });
  let sites: Sites;

  beforeAll(async () => {
    sites = await startSites('test/fixtures/event-streams/environ.mjs', changed);
  });
  afterAll(() => sites.stop());

  it.each(compressing.map((one, place) => ({ ...one, place })))(
    '$name is not held back',
    async ({ place, compressed }) => {
      const { conductor, path } = await conducted();
      const headers = { 'Accept-Encoding': 'gzip', Accept: 'text/event-stream' };
      const stream = listening(sites.ports[place], path, headers, gunzipped);
      await eventsCome(stream, conductor);
      expect(stream.headers['content-encoding']).toBe(compressed ? 'gzip' : undefined);
    },
  );
});

function gunzipped(response: IncomingMessage): NodeJS.ReadableStream {
  if (response.headers['content-encoding'] !== 'gzip') return response;
  return response.pipe(createGunzip({ flush: constants.Z_SYNC_FLUSH }));
}
