import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { environApp, fetchApp } from '../../scripts/bench/apps.mjs';
import { scenarios } from '../../scripts/bench/scenarios.mjs';
import * as fastcgiWire from '../../scripts/bench/wires/fastcgi.mjs';
import * as httpWire from '../../scripts/bench/wires/http.mjs';

const [hello, , , post] = scenarios;
const [headers] = post.clients;

function received(bytes: Buffer) {
  const connection = fastcgi.server(limitsWith());
  connection.receive(bytes);
  const events = [];
  for (let event = connection.next(); event !== undefined; event = connection.next()) events.push(event);
  return { connection, events };
}

describe('the FastCGI requests of the load generator', () => {
  it('carry what nginx sends, with the body behind it', () => {
    const { events } = received(fastcgiWire.encode(post, headers, 40_000, true));
    const [request, data] = events;
    if (request.type !== 'request' || data.type !== 'data') throw new Error(`${request.type}, ${data.type}`);
    const variables = request.head.variables();
    expect(variables.slice(0, 4)).toEqual(['QUERY_STRING', '', 'REQUEST_METHOD', 'POST']);
    expect(variables[variables.indexOf('HTTP_ACCEPT_LANGUAGE') + 1]).toBe('en-US,en;q=0.5');
    expect(variables[variables.indexOf('REMOTE_PORT') + 1]).toBe('40000');
    expect(request.head.contentLength).toBe(1024);
    expect(Buffer.from(data.chunk).toString()).toBe(post.body);
  });

  it('ask to keep the connection, or not to', () => {
    for (const keep of [true, false]) {
      const { connection, events } = received(fastcgiWire.encode(hello, hello.clients[0], 40_000, keep));
      connection.send({ type: 'whole', id: events[0].id, status: 200, reason: 'OK', headers: [], body: null });
      connection.takeOutput(65_536);
      expect(connection.wantsClose).toBe(keep ? false : 'fin');
    }
  });
});

describe('the FastCGI replies to the load generator', () => {
  it('are complete with the last byte of END_REQUEST and not before', () => {
    const { connection, events } = received(fastcgiWire.encode(hello, hello.clients[0], 40_000, true));
    connection.send({
      type: 'whole',
      id: events[0].id,
      status: 404,
      reason: 'Not Found',
      headers: ['content-type', 'text/plain'],
      body: 'nothing here',
    });
    const bytes = Buffer.from(connection.takeOutput(65_536) as string, 'latin1');
    for (let length = 0; length < bytes.length; length++) {
      expect(fastcgiWire.decode(bytes.subarray(0, length))).toBeUndefined();
    }
    expect(fastcgiWire.decode(bytes)).toEqual({ status: 404, body: 'nothing here', size: bytes.length });
  });
});

describe('the HTTP replies to the load generator', () => {
  const reply = Buffer.from('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy');

  it('are complete with the last byte of their Content-Length and not before', () => {
    for (let length = 0; length < reply.length; length++) {
      expect(httpWire.decode(reply.subarray(0, length))).toBeUndefined();
    }
    expect(httpWire.decode(reply)).toEqual({ status: 503, body: 'busy', size: reply.length });
  });

  it('must tell their length', () => {
    expect(() => httpWire.decode(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).toThrow('without Content-Length');
  });
});

describe('the applications that are measured', () => {
  it('answer the body that the load generator expects', async () => {
    for (const scenario of scenarios) {
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
});
