import { describe, expect, it } from '@jest/globals';
import { sendResponse } from '../src/send-response.ts';
import { FakeExchange, until } from './fake-exchange.ts';

function cancellable(): { stream: ReadableStream; cancelled: () => boolean } {
  let cancelled = false;
  const stream = new ReadableStream({
    cancel() {
      cancelled = true;
    },
  });
  return { stream, cancelled: () => cancelled };
}

async function sent(response: unknown, method = 'GET'): Promise<FakeExchange> {
  const exchange = new FakeExchange({ variables: { REQUEST_METHOD: method } });
  sendResponse(exchange, response);
  await exchange.done;
  return exchange;
}

describe('sending a Response', () => {
  it('answers text, bytes and what else is in memory in one call', async () => {
    const bodies = ['text', '', Buffer.from('buffer'), Uint8Array.of(65, 66).buffer, new DataView(new ArrayBuffer(2))];
    for (const body of [...bodies, new URLSearchParams({ a: '1' })]) {
      const expected = await new Response(body).text();
      const exchange = await sent(new Response(body));
      expect([exchange.calls, exchange.text]).toEqual([['respond'], expected]);
    }
  });

  it('answers a large text in one call', async () => {
    const text = 'x'.repeat(1_000_000);
    const exchange = await sent(new Response(text));
    expect([exchange.calls, exchange.text === text]).toEqual([['respond'], true]);
  });

  it('answers text as UTF-8', async () => {
    expect((await sent(new Response('gr\u00fc\u00df'))).text).toBe('gr\u00fc\u00df');
  });

  it('answers a blob and a form', async () => {
    const blob = await sent(new Response(new Blob(['blob ', 'body'], { type: 'text/x-own' })));
    expect([blob.text, blob.headers]).toEqual(['blob body', ['content-type', 'text/x-own']]);
    const data = new FormData();
    data.append('name', 'value');
    const form = await sent(new Response(data));
    expect(form.headers[1]).toMatch(/^multipart\/form-data; boundary=/);
    expect(form.text).toContain('name="name"\r\n\r\nvalue\r\n');
  });

  it.each(['HEAD', 'GET'])('answers without a body: %s', async (method) => {
    const status = method === 'HEAD' ? 200 : 304;
    const { stream, cancelled } = cancellable();
    const exchange = new FakeExchange({ variables: { REQUEST_METHOD: method } });
    const headers = new Headers({ etag: '"1"', 'content-length': '12' });
    // a native Response with 304 takes no body: another library's might
    sendResponse(exchange, { status, statusText: '', headers, body: stream });
    expect([exchange.calls, exchange.headers, exchange.chunks]).toEqual([
      ['respond'],
      ['content-length', '12', 'etag', '"1"'],
      [],
    ]);
    await until(cancelled);
  });

  it('answers HEAD without the text that GET would have got', async () => {
    const exchange = await sent(new Response('text'), 'HEAD');
    expect([exchange.calls, exchange.chunks, exchange.headers]).toEqual([
      ['respond'],
      [],
      ['content-type', 'text/plain;charset=UTF-8'],
    ]);
  });

  it('answers 204 with its headers', async () => {
    const exchange = await sent(new Response(null, { status: 204, headers: { 'x-a': '1' } }));
    expect([exchange.status, exchange.headers, exchange.chunks]).toEqual([204, ['x-a', '1'], []]);
  });

  it('sends nothing when the exchange is over, and cancels the stream', async () => {
    const { stream, cancelled } = cancellable();
    const exchange = new FakeExchange();
    exchange.leave();
    sendResponse(exchange, new Response(stream));
    await until(cancelled);
    sendResponse(exchange, new Response('text'));
    expect(exchange.calls).toEqual([]);
  });
});
