import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  cutAt,
  type FiveReply,
  type FrontEnd,
  fiveProtocols,
  http,
  type OneOfFive,
  portOf,
  randomNumbers,
  replyInFive,
  requestInFive,
  type Served,
  servePostern,
  startApache,
  startNginx,
  startPostern,
  temporaryFolder,
} from '../../packages/testkit/src/index.ts';

const EACH = 1000;
const AT_ONCE = 40;

let app: Served;
let folder: ReturnType<typeof temporaryFolder>;
let socketPath: string;

beforeAll(async () => {
  folder = temporaryFolder();
  socketPath = join(folder.path, 'auto.sock');
  app = await servePostern('test/fixtures/plain.mjs', ['auto://127.0.0.1:0', `auto+unix:${socketPath}?mode=0666`]);
});
afterAll(async () => {
  expect((await app.child.stop()).code).toBe(0);
  folder.remove();
});

/** Sends a request in pieces, each a turn or more behind the other, and reads the whole reply. */
async function ask(protocol: OneOfFive, pieces: readonly Uint8Array[], pause: () => number): Promise<FiveReply> {
  const socket = connect({ host: '127.0.0.1', port: portOf(app.addresses[0]), noDelay: true });
  const chunks: Buffer[] = [];
  const answered = new Promise<FiveReply>((resolve, reject) => {
    const look = (ended: boolean): void => {
      try {
        const reply = replyInFive(protocol, Buffer.concat(chunks), ended);
        if (reply !== undefined) resolve(reply);
        else if (ended) reject(new Error(`${protocol} ended without a reply`));
      } catch (error) {
        reject(error);
      }
    };
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      look(false);
    });
    socket.on('end', () => look(true));
    socket.on('error', reject);
  });
  for (const piece of pieces) {
    socket.write(piece);
    for (let turns = pause(); turns > 0; turns--) await nextTurn();
  }
  const reply = await answered;
  socket.destroy();
  return reply;
}

describe('one address with auto', () => {
  it(`takes ${EACH} requests of each of five protocols, interleaved and cut at random, and none goes wrong`, async () => {
    const next = randomNumbers(20);
    const turn = Array.from({ length: EACH * fiveProtocols.length }, (_, i) => fiveProtocols[i % fiveProtocols.length]);
    // a shuffle: no order of protocols comes again
    for (let i = turn.length - 1; i > 0; i--) {
      const j = next() % (i + 1);
      [turn[i], turn[j]] = [turn[j], turn[i]];
    }
    const right = new Map<OneOfFive, number>();
    const wrong: unknown[] = [];
    const worker = async (): Promise<void> => {
      for (let protocol = turn.pop(); protocol !== undefined; protocol = turn.pop()) {
        const body = String.fromCharCode(...Array.from({ length: next() % 500 }, () => next() & 255)).repeat(
          1 + (next() % 16),
        );
        const bytes = requestInFive(protocol, '/hash', body);
        const cuts = Array.from({ length: next() % 7 }, () => 1 + (next() % (next() % 2 ? 12 : bytes.length - 1)));
        const reply = await ask(protocol, cutAt(bytes, cuts), () => next() % 3);
        const sha256 = createHash('sha256').update(Buffer.from(body, 'latin1')).digest('hex');
        const expected = { method: body === '' ? 'GET' : 'POST', bytes: body.length, sha256 };
        if (reply.status === 200 && reply.body === JSON.stringify(expected))
          right.set(protocol, (right.get(protocol) ?? 0) + 1);
        else wrong.push({ protocol, cuts, reply });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(wrong).toEqual([]);
    expect(Object.fromEntries(right)).toEqual(Object.fromEntries(fiveProtocols.map((name) => [name, EACH])));
    expect(app.child.output()).not.toMatch(/^(?:warn|error|ERR_)/m);
  }, 60_000);
});

const upload = Buffer.alloc(300_000, 'upload');
const uploaded = {
  method: 'POST',
  bytes: upload.length,
  sha256: createHash('sha256').update(upload).digest('hex'),
};

async function expectServed(port: number): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const got = JSON.parse((await http({ port, path: `/a%20b?${i}` })).text);
    expect(got).toMatchObject({ method: 'GET', url: `/a%20b?${i}` });
  }
  const posted = await http({ port, path: '/hash', method: 'POST', body: upload });
  expect(JSON.parse(posted.text)).toEqual(uploaded);
}

/** What leads to the one address, over TCP and by its socket. */
const ways = [
  ['TCP', () => app.addresses[0]],
  ['a unix socket', () => `auto+unix:${socketPath}`],
] as const;

describe.each(ways)('behind nginx over %s', (_, address) => {
  const protocols = ['fastcgi', 'scgi', 'uwsgi', 'http'] as const;
  const directives = { fastcgi: 'fastcgi', scgi: 'scgi', uwsgi: 'uwsgi', http: 'proxy' };
  let nginx: FrontEnd;

  beforeAll(async () => {
    const to = address().replace(/^auto(?::\/\/|\+)/, '');
    nginx = await startNginx((port) =>
      protocols
        .map((protocol, i) => {
          const directive = directives[protocol];
          const parameters = protocol === 'http' ? '' : `include /etc/nginx/${protocol}_params;`;
          const target = protocol === 'http' ? `http://${to}${to.startsWith('unix') ? ':' : ''}` : to;
          return `server { listen 127.0.0.${i + 1}:${port}; location / { ${parameters} ${directive}_pass ${target}; } }`;
        })
        .join('\n'),
    );
  });
  afterAll(() => nginx.stop());

  it.each(protocols)('%s is told apart from the others', async (protocol) => {
    const host = `127.0.0.${protocols.indexOf(protocol) + 1}`;
    for (let i = 0; i < 3; i++) {
      const reply = await fetch(`http://${host}:${nginx.port}/x?${i}`);
      expect(await reply.json()).toMatchObject({ url: `/x?${i}` });
    }
    const posted = await fetch(`http://${host}:${nginx.port}/hash`, { method: 'POST', body: upload });
    expect(await posted.json()).toEqual(uploaded);
  });
});

describe.each(['fcgi', 'scgi', 'ajp', 'uwsgi', 'http'])(
  'behind Apache, as postern config prints it for %s',
  (module) => {
    let apache: FrontEnd;

    beforeAll(async () => {
      const printed = startPostern(['config', 'apache', '--listen', app.addresses[0], '--module', module]);
      expect(await printed.ended()).toEqual({ code: 0, signal: null });
      const text = printed.output();
      expect(text).toMatch(
        new RegExp(
          `^# Apache in front of an app that listens on ${app.addresses[0]}, over ${module === 'fcgi' ? 'fastcgi' : module}\n`,
        ),
      );
      apache = await startApache([], (port) => text.replace(/<VirtualHost \*:\d+>/, `<VirtualHost *:${port}>`));
    });
    afterAll(() => apache.stop());

    it('is told apart', () => expectServed(apache.port));
  },
);

describe('what is none of the five', () => {
  it('is closed, and told of in one line', async () => {
    const before = app.child.output().length;
    const socket = connect(portOf(app.addresses[0]), '127.0.0.1');
    let size = 0;
    socket.on('data', (chunk) => {
      size += chunk.length;
    });
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write('PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\n');
    await closed;
    await app.child.said(/rule=ERR_WRONG_PROTOCOL/);
    expect(size).toBe(0);
    expect(app.child.output().slice(before)).toMatch(
      /^warn event=protocol_error proto=auto rule=ERR_WRONG_PROTOCOL peer=127\.0\.0\.1:\d+ PROXY protocol on a port that tells FastCGI, SCGI, AJP, uwsgi and HTTP apart: turn it off towards this port [^\n]*\n$/,
    );
  });
});
