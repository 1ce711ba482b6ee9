import { describe, expect, it } from '@jest/globals';
import { type AnswerEvent, type ClientConnection, limitsWith, type PeerOptions } from '@postern/core';
import {
  type Asked,
  type Conversation,
  converse,
  cutAt,
  everyWay,
  hear,
  outputText,
  type Play,
} from '@postern/testkit';
import fc from 'fast-check';
import { scgi } from '../src/index.ts';
import { DEEP_THOUGHT, QUESTION } from './writer.ts';

const over: AnswerEvent = { type: 'end', id: 1, reuse: false };
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** A client that has said all of its request. */
function asking(variables: string[], body = ''): ClientConnection {
  const client = scgi.client(limitsWith());
  client.send({ type: 'request', id: 1, variables, keep: false });
  if (body !== '') client.send({ type: 'data', id: 1, chunk: bytes(body) });
  client.send({ type: 'end', id: 1 });
  return client;
}

function serve(chunks: Uint8Array[], play: Play = {}, peer?: PeerOptions): Conversation {
  return converse(scgi.server(limitsWith(), peer), chunks, play);
}

/** Answers with what was asked: the method and the body. */
const echo: Play['reply'] = (server, { head, body }: Asked) => {
  const headers = ['X-Method', head.method, 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'];
  server.send({ type: 'head', id: 1, status: 404, reason: 'Not Found', headers });
  server.send({ type: 'data', id: 1, chunk: bytes(body) });
  server.send({ type: 'end', id: 1 });
};

describe('our client and our server', () => {
  it('say what the specification shows', () => {
    const client = asking(['REQUEST_METHOD', 'POST', 'REQUEST_URI', '/deepthought', 'CONTENT_LENGTH', '27'], QUESTION);
    const text = outputText(client);
    expect(text).toBe(DEEP_THOUGHT + QUESTION);
    const { asked, output, close } = serve([bytes(text)], {}, { strict: true });
    expect(asked).toMatchObject([{ head: { method: 'POST', target: '/deepthought' }, body: QUESTION, ended: 'end' }]);
    expect(hear(client, [bytes(output)], close === 'fin')).toEqual({
      head: { id: 1, status: 200, reason: 'OK', headers: ['Content-Type', 'text/plain'] },
      body: 'hi',
      last: over,
      close: 'fin',
    });
  });

  it('understand each other about any variables and bodies, in any pieces', () => {
    const name = fc.stringMatching(/^[A-Z]{1,8}$/).filter((one) => one !== 'SCGI' && one !== 'HTTPS');
    const value = fc.stringMatching(/^[\x20-\xff]{1,20}$/);
    const extras = fc.uniqueArray(fc.tuple(name, value), { selector: ([one]) => one, maxLength: 6 });
    const places = fc.array(fc.nat(600), { maxLength: 6 });
    fc.assert(
      fc.property(extras, fc.uint8Array({ maxLength: 300 }), places, places, (pairs, sent, there, back) => {
        const body = Buffer.from(sent).toString('latin1');
        const flat = ['REQUEST_METHOD', 'PUT', ...pairs.flat()];
        const client = asking([...flat, 'CONTENT_LENGTH', String(body.length)], body);
        const { asked, output } = serve(cutAt(bytes(outputText(client)), there), { reply: echo });
        expect(asked[0].variables).toEqual(['CONTENT_LENGTH', String(body.length), 'SCGI', '1', ...flat]);
        const { head, body: answer, last } = hear(client, cutAt(bytes(output), back));
        expect(head).toEqual({
          id: 1,
          status: 404,
          reason: 'Not Found',
          headers: ['X-Method', 'PUT', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
        });
        expect([answer, last]).toEqual([body, over]);
      }),
    );
  });

  it('carry a body of megabytes both ways, in the pieces in which it is written', () => {
    const body = 'x'.repeat(3_000_000);
    const client = asking(['REQUEST_METHOD', 'POST', 'CONTENT_LENGTH', String(body.length)], body);
    const server = scgi.server(limitsWith());
    const chunks: Buffer[] = [];
    for (let text = outputText(client, 65_536); text !== ''; text = outputText(client, 65_536))
      chunks.push(bytes(text));
    const { output } = converse(server, chunks, { reply: echo, late: true });
    expect(hear(client, [bytes(output)]).body).toBe(body);
  });

  it('agree that a reply which broke off is none', () => {
    const client = asking(['REQUEST_METHOD', 'GET']);
    const { output, close } = serve([bytes(outputText(client))], {
      reply: (server) => {
        server.send({ type: 'head', id: 1, status: 200, reason: 'OK', headers: [] });
        server.send({ type: 'abort', id: 1 });
      },
    });
    expect([output, close]).toEqual(['', 'reset']);
    expect(hear(client, [])).toEqual({ body: '', error: 'ERR_REPLY 502', close: 'reset' });
  });

  it('understand each other about a request that is refused', () => {
    const client = asking(['REQUEST_METHOD', 'G T']);
    const { errors, output } = serve([bytes(outputText(client))]);
    expect(errors).toEqual(['ERR_ENV_METHOD 400 1']);
    expect(hear(client, [bytes(output)])).toMatchObject({ head: { status: 400, reason: 'Bad Request' }, last: over });
  });
});

describe('the client', () => {
  it.each<[string, string[], string]>([
    ['a variable that cannot be sent', ['A', 'b\0c'], 'ERR_ENV_VALUE'],
    ['a body of unknown length', ['HTTP_TRANSFER_ENCODING', 'chunked'], 'ERR_ENV_LENGTH'],
  ])('refuses %s, and writes nothing', (_, variables, code) => {
    const client = scgi.client(limitsWith());
    expect(() => client.send({ type: 'request', id: 1, variables, keep: false })).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code }),
    );
    expect(outputText(client)).toBe('');
  });

  it('has no ping', () => {
    const client = scgi.client(limitsWith());
    expect(() => client.send({ type: 'ping', id: 1 })).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL_LACKS' }));
    expect(outputText(client)).toBe('');
  });

  it('takes no status line of HTTP', () => {
    const talk = (text: string) => everyWay(bytes(text), (chunks) => hear(asking(['REQUEST_METHOD', 'GET']), chunks));
    expect(talk('HTTP/1.1 200 OK\r\n\r\nhi')).toEqual({ body: '', error: 'ERR_REPLY 502', close: 'reset' });
    expect(talk('Status: 200 OK\r\n\r\nhi')).toMatchObject({ head: { status: 200 }, body: 'hi', last: over });
  });
});
