import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Application, environHandler } from '../../packages/core/src/index.ts';
import { fastcgi } from '../../packages/fastcgi/src/index.ts';
import { Server } from '../../packages/server/src/index.ts';
import { pattern, sha256 } from './peer-scenarios.ts';

const app: Application = async (environ) => {
  if (environ.PATH_INFO === '/echo') return { status: 200, body: environ['gateway.input'] };
  if (environ.PATH_INFO === '/log') environ['gateway.errors'].write('of the app\n');
  if (environ.PATH_INFO === '/hash') {
    const body = await environ['gateway.input'].bytes(4_000_000);
    return { status: 200, body: JSON.stringify({ bytes: body.length, sha256: sha256(body) }) };
  }
  const sent = Object.entries(environ).filter(([, value]) => typeof value === 'string');
  return { status: 201, body: JSON.stringify(Object.fromEntries(sent)) };
};

const failures: unknown[] = [];
let server: Server;
let address: string;

beforeAll(async () => {
  server = new Server(environHandler(app), { onError: (error) => failures.push(error), log: () => {} });
  const listening = await server.listen(fastcgi, { transport: 'tcp', host: '127.0.0.1', port: 0 });
  address = listening.transport === 'tcp' ? `127.0.0.1:${listening.port}` : '';
});
afterAll(() => server.close(0));

interface Run {
  readonly code: number | null;
  /** The head of the reply. */
  readonly head: string;
  readonly body: Buffer;
  readonly errors: string;
}

/** Debian's cgi-fcgi as a CGI program would be started: its environment becomes the variables, its input the body. */
async function cgiFcgi(environment: Record<string, string>, body?: Buffer): Promise<Run> {
  const env = { PATH: process.env.PATH, SCRIPT_NAME: '/x', REQUEST_METHOD: 'GET', ...environment };
  const child = spawn('cgi-fcgi', ['-bind', '-connect', address], {
    env,
    stdio: [body ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  child.stdin?.on('error', () => {});
  child.stdin?.end(body);
  if (child.stdout === null || child.stderr === null) throw new Error('no pipes');
  const [out, errors, code] = await Promise.all([buffer(child.stdout), buffer(child.stderr), ended]);
  const end = out.indexOf('\r\n\r\n');
  return { code, head: out.toString('latin1', 0, end), body: out.subarray(end + 4), errors: errors.toString() };
}

function posting(path: string, body: Buffer): Promise<Run> {
  const more = { CONTENT_TYPE: 'application/octet-stream', CONTENT_LENGTH: String(body.length) };
  return cgiFcgi({ REQUEST_METHOD: 'POST', PATH_INFO: path, ...more }, body);
}

describe('cgi-fcgi of libfcgi', () => {
  it('is served a GET, and sends the whole of its environment', async () => {
    const { code, head, body } = await cgiFcgi({
      PATH_INFO: '/show',
      QUERY_STRING: 'a=b',
      HTTP_X: '\xe9',
      OTHER: 'x=y',
    });
    expect(code).toBe(0);
    expect(head).toBe('Status: 201 Created');
    expect(JSON.parse(body.toString())).toMatchObject({
      ...{ REQUEST_METHOD: 'GET', SCRIPT_NAME: '/x', PATH_INFO: '/show', QUERY_STRING: 'a=b' },
      ...{ HTTP_X: '\xc3\xa9', OTHER: 'x=y', PATH: process.env.PATH },
    });
  });

  it.each([0, 1, 65_536, 3_000_000])('is served a POST of %i bytes', async (size) => {
    const sent = pattern(size);
    const { code, body } = await posting('/hash', sent);
    expect(code).toBe(0);
    expect(JSON.parse(body.toString())).toEqual({ bytes: size, sha256: sha256(sent) });
  });

  it('is sent back what it sends, while it sends it', async () => {
    const sent = pattern(3_000_000);
    const { code, body } = await posting('/echo', sent);
    expect(code).toBe(0);
    expect(sha256(body)).toBe(sha256(sent));
  });

  it('sends variables of 100,000 bytes, whose pairs straddle its records', async () => {
    const many: Record<string, string> = {};
    for (let i = 0; i < 50; i++) many[`HTTP_X_${i}`] = `${i % 10}`.repeat(2000);
    const { code, body } = await cgiFcgi({ PATH_INFO: '/show', ...many });
    expect(code).toBe(0);
    expect(JSON.parse(body.toString())).toMatchObject(many);
  });

  it('prints what the app writes to its error log', async () => {
    expect((await cgiFcgi({ PATH_INFO: '/log' })).errors).toBe('of the app\n');
  });

  it('leaves no connection and no failure behind', async () => {
    expect(await server.close(5000)).toBe(true);
    expect(failures).toEqual([]);
  });
});
