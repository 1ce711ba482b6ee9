import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Answer,
  type ConnectTarget,
  getValues,
  type Question,
  readAuthorization,
  request,
  Session,
} from '../../packages/client/src/index.ts';
import { fastcgi } from '../../packages/fastcgi/src/index.ts';
import { type BackEnd, repository, startPerlFcgi, startPhpFpm } from '../../packages/testkit/src/index.ts';
import { pattern, piecesOf, sha256, valuesOf } from './peer-scenarios.ts';

let php: BackEnd<string>;
let perl: BackEnd<string>;

beforeAll(async () => {
  php = await startPhpFpm();
  perl = await startPerlFcgi(`${repository}/test/fixtures/peers/roles.pl`);
});
afterAll(async () => {
  await php.stop();
  await perl.stop();
});

const at = (path: string): ConnectTarget => ({ transport: 'unix', path });

function variables(target: string, more: Record<string, string> = {}): string[] {
  const [path, query = ''] = target.split('?');
  return Object.entries({
    REQUEST_METHOD: 'GET',
    SCRIPT_FILENAME: `${repository}/test/fixtures/peers/peer.php`,
    SCRIPT_NAME: '/peer.php',
    PATH_INFO: path,
    QUERY_STRING: query,
    SERVER_PROTOCOL: 'HTTP/1.1',
    ...more,
  }).flat();
}

function posting(target: string, body: Uint8Array): Question {
  const type = 'application/octet-stream';
  const length = String(body.length);
  return { variables: variables(target, { REQUEST_METHOD: 'POST', CONTENT_TYPE: type, CONTENT_LENGTH: length }), body };
}

async function read(answer: Promise<Answer>): Promise<{ status: number; headers: string[]; body: string }> {
  const { status, headers, body } = await answer;
  return { status, headers, body: await text(body) };
}

const askPhp = (question: Question): Promise<Answer> => request(fastcgi, at(php.ports), question);

describe('PHP-FPM', () => {
  it.each([0, 1, 65_535, 65_536, 3_000_000])('reads a POST of %i bytes as it was sent', async (size) => {
    const body = pattern(size);
    const answer = await read(askPhp(posting('/hash', body)));
    expect(JSON.parse(answer.body)).toEqual({ bytes: size, sha256: sha256(body) });
  });

  it('reads nothing of a body of which it was told no length', async () => {
    const body = pattern(200_000);
    const sent = variables('/hash', { REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/octet-stream' });
    const answer = await read(askPhp({ variables: sent, body: piecesOf(body, 30_000) }));
    expect(JSON.parse(answer.body)).toMatchObject({ bytes: 0 });
  });

  it('sends 3 MB back while they are sent', async () => {
    const body = pattern(3_000_000);
    const pieces: Uint8Array[] = [];
    for await (const piece of (await askPhp(posting('/echo', body))).body) pieces.push(piece);
    expect(sha256(Buffer.concat(pieces))).toBe(sha256(body));
  });

  it('is told variables of 190,000 bytes, in several records, and an empty one', async () => {
    const many: Record<string, string> = { HTTP_EMPTY: '', HTTP_BYTES: '\xc3\xa9' };
    for (let i = 0; i < 100; i++) many[`HTTP_X_${i}`] = `${i}`.repeat(1000);
    const seen = JSON.parse((await read(askPhp({ variables: variables('/x', many) }))).body);
    expect(seen).toMatchObject({ ...many, HTTP_BYTES: '\xe9', PATH_INFO: '/x' });
  });

  it.each([200, 201, 404, 503])('answers %i, with two cookies', async (code) => {
    const answer = await read(askPhp({ variables: variables(`/status?code=${code}`) }));
    expect(answer.status).toBe(code);
    expect(valuesOf(answer, 'set-cookie')).toEqual(['a=1', 'b=2']);
    expect(valuesOf(answer, 'x-test')).toEqual(['1']);
  });

  it.each(['https://x.test/', '/local'])('redirects to %s with a status of its own', async (to) => {
    const answer = await read(askPhp({ variables: variables(`/redirect?to=${to}`) }));
    expect(answer.status).toBe(302);
    expect(valuesOf(answer, 'location')).toEqual([to]);
  });

  it('writes to its error log, which is heard', async () => {
    let log = '';
    const onLog = (line: string): void => {
      log += line;
    };
    expect((await read(askPhp({ variables: variables('/log?bytes=500'), onLog }))).body).toBe('logged');
    expect(log).toContain(`PHP message: ${'x'.repeat(500)}`);
  });

  it('answers a file that does not exist with its own words', async () => {
    const lost = variables('/', { SCRIPT_FILENAME: '/nowhere.php' });
    expect(await read(askPhp({ variables: lost }))).toMatchObject({ status: 404, body: 'File not found.\n' });
  });

  it('says that it takes one request at a time on a connection', async () => {
    const { values, atOnce } = await getValues(fastcgi, at(php.ports));
    expect([Object.fromEntries(values), atOnce]).toEqual([{ FCGI_MPXS_CONNS: '0' }, 1]);
  });

  it('is asked by a session one after the other, on one connection, so by one worker', async () => {
    const session = new Session(fastcgi, at(php.ports));
    const pids = await Promise.all(
      Array.from({ length: 10 }, async () => (await read(session.request({ variables: variables('/pid') }))).body),
    );
    expect(new Set(pids).size).toBe(1);
    session.close();
  });

  it('is rid of a request that is given up, and serves the next ones', async () => {
    const session = new Session(fastcgi, at(php.ports));
    for (let i = 0; i < 4; i++) {
      const { body } = await session.request({ variables: variables('/forever') });
      let bytes = 0;
      for await (const piece of body) {
        bytes += piece.length;
        if (bytes > 1_000_000) break;
      }
      expect((await read(session.request({ variables: variables('/status?code=200') }))).status).toBe(200);
    }
    session.close();
  });

  it('is told the role, and serves each as a responder', async () => {
    const role = async (question: Question): Promise<unknown> =>
      JSON.parse((await read(askPhp(question))).body).FCGI_ROLE;
    expect(await role({ variables: variables('/x') })).toBe('RESPONDER');
    expect(await role({ variables: variables('/x'), role: 'authorizer' })).toBe('AUTHORIZER');
    const data = Buffer.from('data');
    expect(await role({ variables: variables('/x', { FCGI_DATA_LENGTH: '4' }), role: 'filter', data })).toBe('FILTER');
  });
});

describe("PHP-FPM with cgi.rfc2616_headers, which begins its replies with HTTP's status line", () => {
  it('is understood where the address says so, and else is the failure of a gateway', async () => {
    const strange = await startPhpFpm(['cgi.rfc2616_headers=1']);
    try {
      const ask = { variables: variables('/line') };
      await expect(request(fastcgi, at(strange.ports), ask)).rejects.toMatchObject({
        code: 'ERR_REPLY',
        statusHint: 502,
      });
      const answer = await request(fastcgi, at(strange.ports), { ...ask, options: { nph: true } });
      expect([answer.status, answer.reason]).toEqual([404, 'Gone']);
    } finally {
      await strange.stop();
    }
  });
});

describe.each(['a connection of its own', 'one kept connection'])('libfcgi on %s', (how) => {
  let kept: Session;
  beforeAll(() => {
    kept = new Session(fastcgi, at(perl.ports), { atOnce: 1 });
  });
  afterAll(() => kept.close());
  const ask = (question: Question): Promise<Answer> =>
    how === 'one kept connection' ? kept.request(question) : request(fastcgi, at(perl.ports), question);

  it('authorizes, and is not told of the resource', async () => {
    const answer = await ask({ role: 'authorizer', variables: variables('/x', { HTTP_USER: 'ann' }) });
    answer.cancel();
    const { allowed, variables: found } = readAuthorization(answer);
    expect(allowed).toBe(true);
    expect(found.slice(0, 3)).toEqual(['REMOTE_USER', 'ann', 'NAMES']);
    expect(found[3].split(' ')).toEqual([
      ...['FCGI_ROLE', 'HTTP_USER', 'QUERY_STRING', 'REQUEST_METHOD', 'SCRIPT_FILENAME', 'SERVER_PROTOCOL'],
    ]);
  });

  it('refuses with an answer of its own', async () => {
    const answer = await ask({ role: 'authorizer', variables: variables('/x') });
    expect(readAuthorization(answer)).toEqual({ allowed: false, variables: [] });
    expect([answer.status, await text(answer.body)]).toEqual([403, 'not you']);
  });

  it.each([0, 4, 300_000])('filters %i bytes of data behind a body', async (size) => {
    const more = { CONTENT_LENGTH: '4', FCGI_DATA_LENGTH: String(size), FCGI_DATA_LAST_MOD: '1' };
    let log = '';
    const answer = await ask({
      role: 'filter',
      variables: variables('/x', more),
      body: Buffer.from('body'),
      data: piecesOf(Buffer.alloc(size, 'data'), 70_000),
      onLog: (line) => {
        log += line;
      },
    });
    expect(await text(answer.body)).toBe(`body|${'DATA'.repeat(size / 4)}`);
    expect(log).toBe('filtered\n');
  });

  it('responds', async () => {
    const answer = await ask(posting('/x', pattern(100_000)));
    expect(await text(answer.body)).toBe('100000');
  });
});
