import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { buildEnviron, type Exchange, limitsWith, type Protocol, type RequestHead } from '@postern/core';
import { outputText } from '@postern/testkit';
import fc from 'fast-check';
import { ajp } from '../../packages/ajp/src/index.ts';
import { fastcgi } from '../../packages/fastcgi/src/index.ts';
import { scgi } from '../../packages/scgi/src/index.ts';
import { httpHead } from '../../packages/server/src/http-head.ts';
import { uwsgi } from '../../packages/uwsgi/src/index.ts';
import { seed } from './properties.ts';

/** A request as a browser sends it. */
interface Request {
  readonly method: string;
  readonly target: string;
  readonly https: boolean;
  /** Flat [name, value, …], each name once, Host among them. */
  readonly headers: string[];
  readonly length: number;
}

const segment = fc.stringMatching(/^(?:[a-z0-9~._!$&'()*+,;=:@-]|%[2-9A-F][0-9A-F]|%0A|%00|%2F){0,6}$/);
const query = fc.stringMatching(/^[a-z0-9=&%+/?-]{0,12}$/);
const value = fc.stringMatching(/^[!-~\x80-\xff](?:[ -~\x80-\xff]{0,18}[!-~\x80-\xff])?$/);
const own = fc.stringMatching(/^x-[a-z0-9-]{1,12}$/);
const known = fc.constantFrom(
  'user-agent',
  'accept',
  'cookie',
  'content-type',
  'authorization',
  'referer',
  'range',
  'proxy',
);

const requests: fc.Arbitrary<Request> = fc
  .record({
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND', 'BREW'),
    path: fc.array(segment, { minLength: 1, maxLength: 4 }).map((list) => `/${list.join('/')}`),
    query: fc.option(query, { nil: undefined }),
    https: fc.boolean(),
    fields: fc.uniqueArray(fc.tuple(fc.oneof(own, known), value), { maxLength: 8, selector: ([name]) => name }),
    host: fc.constantFrom('app.test', 'app.test:8080', '[::1]:80'),
    length: fc.constantFrom(0, 1, 127, 65_536),
  })
  .map(({ method, path, query: words, https, fields, host, length }) => ({
    method,
    target: words === undefined ? path : `${path}?${words}`,
    https,
    headers: ['host', host, ...fields.flat(), ...(length > 0 ? ['content-length', String(length)] : [])],
    length,
  }));

const connection = { SERVER_NAME: 'app.test', SERVER_PORT: '8443', SERVER_ADDR: '192.0.2.9', REMOTE_ADDR: '192.0.2.1' };

/** What a web server makes of it (RFC 3875 §4.1), without the decoded path: it is made from the target. */
function variablesOf({ method, target, https, headers }: Request): string[] {
  const flat = ['REQUEST_METHOD', method, 'REQUEST_URI', target, 'SERVER_PROTOCOL', 'HTTP/1.1'];
  flat.push(...Object.entries(connection).flat(), 'REMOTE_PORT', '40000');
  flat.push('REQUEST_SCHEME', https ? 'https' : 'http', ...(https ? ['HTTPS', 'on'] : []));
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i].toUpperCase().replaceAll('-', '_');
    flat.push(name.startsWith('CONTENT_') ? name : `HTTP_${name}`, headers[i + 1]);
  }
  return flat;
}

/** The request through a client's encoder and a server's decoder. */
function through(protocol: Protocol, request: Request): RequestHead {
  const client = protocol.client(limitsWith(), { packetSize: 65_536 });
  client.send({ type: 'request', id: 1, variables: variablesOf(request), keep: false });
  const server = protocol.server(limitsWith(), { packetSize: 65_536 });
  server.receive(Buffer.from(outputText(client), 'latin1'));
  const event = server.next();
  if (event?.type !== 'request') throw new Error(`no request, but ${event?.type}`);
  return event.head;
}

function overHttp({ method, target, https, headers }: Request): RequestHead {
  const message = new IncomingMessage(new Socket());
  Object.assign(message, { method, url: target, rawHeaders: headers, httpVersion: '1.1' });
  const { SERVER_ADDR: address, SERVER_PORT: port, REMOTE_ADDR } = connection;
  const scheme = https ? 'https' : 'http';
  const flat = ['REMOTE_ADDR', REMOTE_ADDR, 'REMOTE_PORT', '40000', 'SERVER_ADDR', address];
  return httpHead(message, { scheme, address, port: Number(port), flat }, limitsWith()).head;
}

function environOf(head: RequestHead): Record<string, unknown> {
  return { ...buildEnviron({ head } as Exchange) };
}

interface Difference {
  readonly protocol: string;
  readonly name: string;
  /** What stands there instead. */
  readonly value: (request: Request, usual: unknown) => unknown;
  readonly why: string;
}

const bodyless = ['GET', 'HEAD', 'DELETE', 'OPTIONS'];

/** Where the environs of one request differ from that of FastCGI. Everything else is the same. */
const differences: readonly Difference[] = [
  { protocol: 'scgi', name: 'SCGI', value: () => '1', why: 'the specification demands it of each request' },
  {
    protocol: 'scgi',
    name: 'CONTENT_LENGTH',
    value: ({ method, length }, usual) => (length === 0 && !bodyless.includes(method) ? '0' : usual),
    why: 'the specification demands it of each request, and only of some methods is a length of 0 left out',
  },
  {
    protocol: 'ajp',
    name: 'REQUEST_URI',
    value: ({ target }) => target.replace(/^([^?]*)\?$/, '$1'),
    why: 'path and query are two fields, and an empty query is none',
  },
  {
    protocol: 'http',
    name: 'SERVER_NAME',
    value: ({ headers }) => headers[1].replace(/:[0-9]+$/, ''),
    why: 'no web server says its name: it is that of Host',
  },
];

/** What the environ over a protocol is to be. */
function expectedOf(
  protocol: string,
  request: Request,
  fastcgiEnviron: Record<string, unknown>,
): Record<string, unknown> {
  const environ = { ...fastcgiEnviron };
  for (const { name, value, ...one } of differences) {
    const differs = one.protocol === protocol ? value(request, environ[name]) : undefined;
    if (differs !== undefined) environ[name] = differs;
  }
  return environ;
}

describe('one request over five protocols', () => {
  it('has one environ and one list of headers, but for the differences that are listed', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const first = through(fastcgi, request);
        const environ = environOf(first);
        const fields = sorted(first.headers());
        expect(environ.REQUEST_URI).toBe(request.target);
        const heads = Object.entries({ scgi, uwsgi, ajp }).map(([name, one]) => [name, through(one, request)] as const);
        for (const [name, head] of [...heads, ['http', overHttp(request)] as const]) {
          expect([name, environOf(head)]).toEqual([name, expectedOf(name, request, environ)]);
          const stated = name === 'scgi' && environOf(head).CONTENT_LENGTH === '0' ? ['content-length: 0'] : [];
          expect([name, sorted(head.headers())]).toEqual([name, [...fields, ...stated].sort()]);
          expect([name, Math.max(0, head.contentLength)]).toEqual([name, request.length]);
        }
      }),
      { seed, numRuns: 1000 },
    );
  });

  it.each(differences)('$protocol really differs in $name: $why', ({ protocol, name, value }) => {
    const request = { method: 'PUT', target: '/?', https: false, headers: ['host', 'other.test:1'], length: 0 };
    const head = protocol === 'http' ? overHttp(request) : through(protocol === 'ajp' ? ajp : scgi, request);
    const usual = environOf(through(fastcgi, request))[name];
    expect(environOf(head)[name]).toBe(value(request, usual));
    expect(environOf(head)[name]).not.toBe(usual);
  });
});

/** AJP and HTTP know no order but their own. */
function sorted(flat: readonly string[]): string[] {
  return flat.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${flat[i + 1]}`] : [])).sort();
}
