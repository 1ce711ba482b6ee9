import { describe, expect, it } from '@jest/globals';
import { ajp } from '@postern/ajp';
import { limitsWith, type Protocol, type RequestHead, type ServerConnection } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import { outputText } from '@postern/testkit';
import { uwsgi } from '@postern/uwsgi';
import { environApp, fetchApp, routeEnviron } from '../../scripts/bench/apps.mjs';
import { CONSTANT, scenarios } from '../../scripts/bench/scenarios.mjs';
import { wires } from '../../scripts/bench/wires.mjs';

const protocols: Record<string, Protocol> = { ajp, fastcgi, scgi, uwsgi };
const ours = ['fastcgi', 'fastcgi-close', 'ajp', 'scgi', 'uwsgi'] as const;

const hello = scenarioOf('hello');
const post = scenarioOf('post');
const [headers] = post.clients;

function scenarioOf(name: string) {
  const found = scenarios.find((one) => one.name === name);
  if (found === undefined) throw new Error(name);
  return found;
}

function received(wire: (typeof ours)[number], scenario: typeof hello, keep: boolean) {
  const { protocol, encode } = wires[wire];
  const connection = protocols[protocol].server(limitsWith());
  connection.receive(encode(scenario, scenario.clients[0], 40_000, keep));
  let head: RequestHead | undefined;
  let body = '';
  for (let event = connection.next(); event !== undefined; event = connection.next()) {
    if (event.type === 'request') head = event.head;
    else if (event.type === 'data') body += Buffer.from(event.chunk).toString();
    else if (event.type !== 'end') throw new Error(event.type);
  }
  if (head === undefined) throw new Error('no request');
  return { connection, head, body };
}

function answer(connection: ServerConnection, text: string): Buffer {
  const answered = ['content-type', 'text/plain', 'content-length', String(text.length)];
  connection.send({ type: 'whole', id: 1, status: 404, reason: 'Not Found', headers: answered, body: text });
  return Buffer.from(outputText(connection), 'latin1');
}

describe.each(ours)('a request of the load generator over %s', (wire) => {
  it('carries what the client sent, with the body behind it', () => {
    const { head, body } = received(wire, post, true);
    expect([head.method, head.target, head.contentLength]).toEqual(['POST', '/articles/new', 1024]);
    const fields = head.headers();
    for (const [name, value] of headers) expect(fields[fields.indexOf(name.toLowerCase()) + 1]).toBe(value);
    const variables = head.variables();
    expect(variables[variables.indexOf('REMOTE_PORT') + 1]).toBe('40000');
    expect(body).toBe(post.body);
  });

  it('is answered with what is whole at its last byte and not before', () => {
    const { decode, kept } = wires[wire];
    const { connection } = received(wire, hello, kept);
    const bytes = answer(connection, 'nothing here');
    for (let length = 0; length < bytes.length; length++)
      expect(decode(bytes.subarray(0, length), false)).toBeUndefined();
    expect(decode(bytes, true)).toEqual({ status: 404, body: 'nothing here', size: bytes.length });
  });
});

describe('a FastCGI request of the load generator', () => {
  it('names the variables in the order of nginx, and further ones behind them', () => {
    const { head } = received('fastcgi', { ...hello, variables: [['SCRIPT_FILENAME', '/x.php']] } as never, true);
    expect(head.variables().slice(0, 4)).toEqual(['QUERY_STRING', '', 'REQUEST_METHOD', 'GET']);
    expect(head.variables().slice(-2)).toEqual(['SCRIPT_FILENAME', '/x.php']);
  });

  it('asks to keep the connection, or not to', () => {
    for (const keep of [true, false]) {
      const { connection } = received('fastcgi', hello, keep);
      answer(connection, '');
      expect(connection.wantsClose).toBe(keep ? false : 'fin');
    }
  });
});

describe('an HTTP request of the load generator', () => {
  it('says that its connection is not to be kept, or nothing', () => {
    const { encode } = wires.http;
    expect(encode(hello, headers, 1, false).toString()).toContain('\r\nConnection: close\r\n');
    expect(encode(hello, headers, 1, true).toString()).not.toContain('Connection');
  });
});

describe('the HTTP replies to the load generator', () => {
  const reply = Buffer.from('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy');
  const { decode } = wires.http;

  it('are complete with the last byte of their Content-Length and not before', () => {
    for (let length = 0; length < reply.length; length++) {
      expect(decode(reply.subarray(0, length))).toBeUndefined();
    }
    expect(decode(reply)).toEqual({ status: 503, body: 'busy', size: reply.length });
  });

  it('must tell their length', () => {
    expect(() => decode(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).toThrow('without Content-Length');
  });
});

describe('the applications that are measured', () => {
  it('answer the body that the load generator expects', async () => {
    for (const scenario of scenarios.filter(({ name }) => name !== 'constant')) {
      for (const client of scenario.clients) {
        const language = client.find(([name]) => name === 'Accept-Language')?.[1];
        const { status, body } = await environApp({
          REQUEST_METHOD: scenario.method,
          PATH_INFO: scenario.target,
          HTTP_ACCEPT_LANGUAGE: language,
          'gateway.input': { text: async () => scenario.body },
        });
        expect({ status, body }).toEqual({ status: 200, body: scenario.expected(client) });
        const request = new Request(`http://www.example.org${scenario.target}`, {
          method: scenario.method,
          headers: { 'Accept-Language': language ?? '' },
          body: scenario.body === '' ? undefined : scenario.body,
        });
        expect(await (await fetchApp(request)).text()).toBe(scenario.expected(client));
      }
    }
  });

  it('route on the method and the path', () => {
    const asked = { REQUEST_METHOD: 'GET', PATH_INFO: '/hello/world' };
    expect(routeEnviron(asked)).toMatchObject({ status: 200, body: CONSTANT });
    for (const other of [{ REQUEST_METHOD: 'POST' }, { PATH_INFO: '/' }])
      expect(routeEnviron({ ...asked, ...other })).toMatchObject({ status: 404 });
  });
});
