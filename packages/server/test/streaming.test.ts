import { describe, expect, it } from '@jest/globals';
import { ajp } from '@postern/ajp';
import type { BodyWriter, Exchange, Protocol } from '@postern/core';
import { scgi } from '@postern/scgi';
import { uwsgi } from '@postern/uwsgi';
import { forward, readMessages } from '../../ajp/test/writer.ts';
import { plainGet, request } from '../../testkit/src/index.ts';
import { http } from '../src/http-protocol.ts';
import { asked, httpRequest } from './support/http-peer.ts';
import { serving } from './support/serving.ts';

/** What reaches the web server before the reply is complete, and in front of it. */

const events = ['Content-Type', 'text/event-stream'];

function started(exchange: Exchange, headers: string[]): BodyWriter {
  return exchange.start(200, 'OK', [...headers]);
}

describe('an event stream', () => {
  it('over AJP is flushed behind its head and behind each event, any other reply by flush() alone', async () => {
    const all = await serving(() => {}, { protocol: ajp });
    const peer = await all.connect();
    const types = () =>
      readMessages(peer.text).map((message) => (message.type === 'body' ? message.text : message.type));
    peer.write(forward());
    const writer = started(await all.asked(1), events);
    await peer.when(() => types().length === 2);
    expect(types()).toEqual(['headers', '']);
    writer.write('data: 1\n\n');
    await peer.when(() => types().length === 4);
    writer.write('data: 2\n\n');
    writer.end();
    await peer.when(() => types().at(-1) === 'end');
    expect(types()).toEqual(['headers', '', 'data: 1\n\n', '', 'data: 2\n\n', '', 'end']);

    const other = await all.connect();
    other.write(forward());
    const plain = started(await all.asked(2), ['Content-Type', 'text/plain']);
    plain.write('a');
    plain.end();
    await other.when(() => readMessages(other.text).at(-1)?.type === 'end');
    expect(readMessages(other.text).map(({ type }) => type)).toEqual(['headers', 'body', 'end']);
  });

  it.each([
    ['an event stream', events, 'no'],
    ['one that the application marks itself', [...events, 'x-accel-buffering', 'yes'], 'yes'],
    ['any other stream', ['Content-Type', 'text/plain'], undefined],
  ])('has the mark that nginx goes by: %s', async (_, headers, mark) => {
    const all = await serving((exchange) => started(exchange, headers).end(), { protocol: http() });
    expect((await asked(all, 'GET /')).fields['x-accel-buffering']).toBe(mark);
  });

  it('has no mark where it is whole in memory', async () => {
    const all = await serving((exchange) => exchange.respond(200, 'OK', [...events], 'data: 1\n\n'), {
      protocol: http(),
    });
    expect((await asked(all, 'GET /')).fields).not.toHaveProperty('x-accel-buffering');
  });
});

const link = ['Link', '</a.css>; rel=preload'];

describe('an interim reply', () => {
  const lighttpd = { ...plainGet, SERVER_SOFTWARE: 'lighttpd/1.4.69' };
  const variables = Object.entries({ ...lighttpd, CONTENT_LENGTH: '0', SCGI: '1' });
  const block = variables.map(([name, value]) => `${name}\0${value}\0`).join('');

  it.each<[string, Protocol, Buffer, string, string]>([
    ['SCGI', scgi, Buffer.from(`${block.length}:${block},`), 'Status: 103 Early Hints', 'Status: 200 OK'],
    ['uwsgi', uwsgi, uwsgiRequest(lighttpd), 'HTTP/1.1 103 Early Hints', 'HTTP/1.1 200 OK'],
  ])('over %s goes out in front of the reply, and without a length', async (_, protocol, bytes, hints, final) => {
    const all = await serving(() => {}, { protocol });
    const peer = await all.connect();
    peer.write(bytes);
    const exchange = await all.asked();
    expect(exchange.inform(103, [...link, 'Content-Length', '5'])).toBe(true);
    await peer.when(() => peer.text === `${hints}\r\nLink: </a.css>; rel=preload\r\n\r\n`);
    expect([exchange.started, exchange.inform(102, [])]).toEqual([false, true]);
    exchange.respond(200, 'OK', ['X-A', 'b'], 'x');
    expect(exchange.inform(103, [...link])).toBe(false);
    await peer.gone();
    const interim = `${hints}\r\nLink: </a.css>; rel=preload\r\n\r\n${hints.replace('103 Early Hints', '102 Processing')}\r\n\r\n`;
    expect(peer.text).toBe(`${interim}${final}\r\nX-A: b\r\n\r\nx`);
  });

  it('over FastCGI is a record of its own', async () => {
    const all = await serving(() => {});
    const peer = await all.connect();
    peer.write(request(lighttpd));
    const exchange = await all.asked();
    expect(exchange.inform(103, [...link])).toBe(true);
    exchange.respond(200, 'OK', [], 'x');
    const { stdout } = await peer.reply();
    expect(stdout).toBe('Status: 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nStatus: 200 OK\r\n\r\nx');
  });

  it('over AJP is a SEND_HEADERS of its own, to lighttpd alone', async () => {
    for (const peerName of ['lighttpd', undefined]) {
      const all = await serving(() => {}, { protocol: ajp, peer: { peer: peerName } });
      const peer = await all.connect();
      peer.write(forward());
      const exchange = await all.asked();
      expect(exchange.inform(103, [...link])).toBe(peerName === 'lighttpd');
      exchange.respond(200, 'OK', ['Content-Type', 'text/plain'], null);
      await peer.when(() => readMessages(peer.text).at(-1)?.type === 'end');
      const statuses = readMessages(peer.text).flatMap((message) =>
        message.type === 'headers' ? [message.status] : [],
      );
      expect(statuses).toEqual(peerName === 'lighttpd' ? [103, 200] : [200]);
    }
  });

  it('reaches no other web server, and a header that may not be sent throws', async () => {
    const all = await serving(() => {});
    const peer = await all.connect();
    peer.write(request({ ...plainGet, SERVER_SOFTWARE: 'nginx/1.22.1' }));
    const exchange = await all.asked();
    expect(() => exchange.inform(103, ['Link', 'a\r\nb'])).toThrow(
      expect.objectContaining({ code: 'ERR_HEADER_VALUE' }),
    );
    expect([100, 102, 103].map((status) => exchange.inform(status, [...link]))).toEqual([false, false, false]);
    exchange.respond(200, 'OK', [], 'x');
    expect((await peer.reply()).stdout).toBe('Status: 200 OK\r\n\r\nx');
  });

  it('over HTTP is not for nginx, but for a 100 that it waits for', async () => {
    const informed: boolean[] = [];
    const all = await serving(
      (exchange) => {
        informed.push(...[102, 103].map((status) => exchange.inform(status, [...link])));
        exchange.respond(200, 'OK', [], 'x');
      },
      { protocol: http(), peer: { peer: 'nginx' } },
    );
    expect((await asked(all, 'GET /')).status).toBe(200);
    expect(informed).toEqual([false, false]);

    const told: string[] = [];
    const node = await serving(() => {}, {
      protocol: http({
        listener: (req, res) => {
          if (req.method === 'GET') res.writeContinue(() => told.push('100'));
          res.writeProcessing(() => told.push('102'));
          res.writeEarlyHints({ link: link[1] }, () => {
            told.push('103');
            res.end('x');
          });
        },
      }),
      peer: { peer: 'nginx' },
    });
    expect((await asked(node, 'GET /')).status).toBe(200);
    expect(told).toEqual(['100', '102', '103']);
    const peer = await node.connect();
    peer.write(httpRequest('POST /', ['Expect: 100-continue', 'Content-Length: 1']));
    await peer.when(() => peer.text.includes('200 OK'));
    expect(peer.text.startsWith('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n')).toBe(true);
  });
});

function uwsgiRequest(variables: Record<string, string>): Buffer {
  const item = (text: string) => Buffer.from([text.length & 255, text.length >> 8, ...Buffer.from(text)]);
  const block = Buffer.concat(Object.entries(variables).flat().map(item));
  return Buffer.concat([Buffer.from([0, block.length & 255, block.length >> 8, 0]), block]);
}
