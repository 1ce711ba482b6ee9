import { describe, expect, it } from '@jest/globals';
import { type AnswerEvent, type ClientConnection, limitsWith } from '@postern/core';
import {
  type Conversation,
  converse,
  cutAt,
  everyWay,
  type Heard,
  hear,
  outputText,
  type Play,
} from '@postern/testkit';
import fc from 'fast-check';
import { uwsgi } from '../src/index.ts';
import { open, type Serving } from './harness.ts';
import { bytes } from './writer.ts';

const over: AnswerEvent = { type: 'end', id: 1, reuse: false };

/** A client that has said all of its request. */
function asking(variables: string[] = ['REQUEST_METHOD', 'GET'], body = ''): ClientConnection {
  const client = uwsgi.client(limitsWith());
  client.send({ type: 'request', id: 1, variables, keep: false });
  if (body !== '') client.send({ type: 'data', id: 1, chunk: bytes(body) });
  client.send({ type: 'end', id: 1 });
  return client;
}

function pinging(): ClientConnection {
  const client = uwsgi.client(limitsWith());
  client.send({ type: 'ping', id: 1 });
  return client;
}

/** All that a client says goes to our server. */
function serve(client: ClientConnection, serving: Serving = {}, places: number[] = []): Conversation {
  return converse(open(serving), cutAt(bytes(outputText(client)), places), serving);
}

/** What a client hears of these bytes, in every way. */
function talk(text: string, make: () => ClientConnection = asking): Heard {
  return everyWay(bytes(text), (chunks) => hear(make(), chunks));
}

const echo: Play['reply'] = (server, { head, body }) => {
  const headers = ['X-Method', head.method, 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'];
  server.send({ type: 'head', id: 1, status: 404, reason: 'Not Found', headers });
  server.send({ type: 'data', id: 1, chunk: bytes(body) });
  server.send({ type: 'end', id: 1 });
};

describe('our client and our server', () => {
  it('understand each other about any variables and bodies, in any pieces', () => {
    const name = fc.stringMatching(/^[A-Z]{1,8}$/).filter((one) => one !== 'HTTPS');
    const value = fc.stringMatching(/^[\x20-\xff]{1,20}$/);
    const extras = fc.uniqueArray(fc.tuple(name, value), { selector: ([one]) => one, maxLength: 6 });
    const places = fc.array(fc.nat(600), { maxLength: 6 });
    fc.assert(
      fc.property(extras, fc.uint8Array({ maxLength: 300 }), places, places, (pairs, sent, there, back) => {
        const body = Buffer.from(sent).toString('latin1');
        const flat = ['REQUEST_METHOD', 'PUT', ...pairs.flat(), 'CONTENT_LENGTH', String(body.length)];
        const client = asking(flat, body);
        const { asked, output } = serve(client, { reply: echo }, there);
        expect(asked[0].variables).toEqual(flat);
        expect(hear(client, cutAt(bytes(output), back))).toEqual({
          head: {
            id: 1,
            status: 404,
            reason: 'Not Found',
            headers: ['X-Method', 'PUT', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
          },
          body,
          last: over,
          close: 'fin',
        });
      }),
    );
  });

  it('understand each other about a ping, where it is served', () => {
    const client = pinging();
    const { output, close } = serve(client, { ping: true });
    expect(close).toBe('fin');
    expect(talk(output, pinging)).toEqual({ body: '', last: { type: 'pong', id: 1 }, close: 'fin' });
  });

  it('take the refusal of a ping for no answer', () => {
    const client = pinging();
    const { errors, output } = serve(client);
    expect(errors).toEqual(['ERR_UWSGI_MODIFIER 501 1']);
    expect(talk(output, pinging)).toEqual({ body: '', error: 'ERR_REPLY 502', close: 'reset' });
  });

  it('understand each other about a request that is refused', () => {
    const { errors, output } = serve(asking(['REQUEST_METHOD', 'G T']));
    expect(errors).toEqual(['ERR_ENV_METHOD 400 1']);
    expect(talk(output)).toMatchObject({ head: { status: 400, reason: 'Bad Request' }, body: '', last: over });
  });

  it('agree that a reply which broke off is none', () => {
    const client = asking();
    const reply: Play['reply'] = (server) => {
      server.send({ type: 'head', id: 1, status: 200, reason: 'OK', headers: [] });
      server.send({ type: 'abort', id: 1 });
    };
    expect(serve(client, { reply })).toMatchObject({ output: '', close: 'reset' });
    expect(hear(client, [])).toEqual({ body: '', error: 'ERR_REPLY 502', close: 'reset' });
  });
});

describe('the client', () => {
  it('hears a reply as uWSGI writes it: a status line, fields, the body', () => {
    expect(talk('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello')).toEqual({
      head: { id: 1, status: 200, reason: 'OK', headers: ['Content-Type', 'text/html', 'Content-Length', '5'] },
      body: 'hello',
      last: over,
      close: 'fin',
    });
    expect(talk('HTTP/1.0 500 Internal Server Error\r\n\r\n')).toMatchObject({
      head: { status: 500, reason: 'Internal Server Error', headers: [] },
      body: '',
      last: over,
    });
  });

  it('hears a reply with Status, or with neither', () => {
    expect(talk('Status: 404 Gone\r\nA: b\r\n\r\nx')).toMatchObject({
      head: { status: 404, reason: 'Gone', headers: ['A', 'b'] },
      body: 'x',
      last: over,
    });
    expect(talk('A: b\n\nx')).toMatchObject({ head: { status: 200 }, body: 'x', last: over });
  });

  it('passes interim heads over', () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n';
    expect(talk(`${interim}HTTP/1.1 201 Created\r\nA: b\r\n\r\nx`)).toMatchObject({
      head: { status: 201, reason: 'Created', headers: ['A', 'b'] },
      body: 'x',
      last: over,
    });
    expect(talk(interim)).toMatchObject({ error: 'ERR_REPLY 502' });
  });

  it.each([
    ['nothing', ''],
    ['a status line without its fields', 'HTTP/1.1 200 OK\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['HTTP/2', 'HTTP/2 200 OK\r\n\r\n'],
    ['two truths about the status', 'HTTP/1.1 200 OK\r\nStatus: 404\r\n\r\n'],
    ['a transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['the answer to a ping', '\x64\0\0\x01'],
  ])('takes %s for the failure of a gateway', (_, text) => {
    expect(talk(text)).toEqual({ body: '', error: 'ERR_REPLY 502', close: 'reset' });
  });

  it('asks with a ping as the protocol has it', () => {
    expect(outputText(pinging())).toBe('\x64\0\0\0');
    expect(talk('\x64\0\0\x01', pinging)).toEqual({ body: '', last: { type: 'pong', id: 1 }, close: 'fin' });
    for (const text of ['\x64\0\0\0', '\x64\0\0', 'HTTP/1.1 200 OK\r\n\r\n'])
      expect(talk(text, pinging)).toEqual({ body: '', error: 'ERR_REPLY 502', close: 'reset' });
  });

  it.each<[string, string[], string]>([
    ['a variable that cannot be sent', ['A', 'b\0c'], 'ERR_ENV_VALUE'],
    ['a body of unknown length', ['HTTP_TRANSFER_ENCODING', 'chunked'], 'ERR_ENV_LENGTH'],
    ['two lengths', ['CONTENT_LENGTH', '1', 'CONTENT_LENGTH', '2'], 'ERR_ENV_LENGTH'],
  ])('refuses %s, and writes nothing', (_, variables, code) => {
    const client = uwsgi.client(limitsWith());
    expect(() => client.send({ type: 'request', id: 1, variables, keep: false })).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code }),
    );
    expect(outputText(client)).toBe('');
  });
});
