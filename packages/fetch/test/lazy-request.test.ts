import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { type FetchContext, fetchHandler } from '../src/index.ts';
import { environOf, toRequest } from '../src/lazy-request.ts';
import { type Ask, FakeExchange, until } from './fake-exchange.ts';

/** The types of Node 20 do not know `bytes` yet. */
type FullRequest = Request & { bytes(): Promise<Uint8Array> };

function requestOf(ask: Ask = {}): { request: FullRequest; exchange: FakeExchange; context: FetchContext } {
  const exchange = new FakeExchange(ask);
  let seen: [Request, FetchContext] | undefined;
  fetchHandler((request, context) => {
    seen = [request, context];
    return new Promise<Response>(() => {});
  })(exchange);
  if (seen === undefined) throw new Error('the handler was not called');
  return { request: seen[0] as FullRequest, exchange, context: seen[1] };
}

const post = { REQUEST_METHOD: 'POST', REQUEST_URI: '/up?x=1', CONTENT_TYPE: 'text/plain' };
const form = { ...post, CONTENT_TYPE: 'application/x-www-form-urlencoded' };

describe('the request of a fetch handler', () => {
  it('is an instance of Request', () => {
    const { request } = requestOf();
    expect(request instanceof Request).toBe(true);
    expect(request.constructor).toBe(Request);
    expect(Object.prototype.toString.call(request)).toBe('[object Request]');
    const names: string[] = [];
    for (const name in request) names.push(name);
    expect(names).toEqual(expect.arrayContaining(['url', 'method', 'headers', 'body', 'text', 'clone', 'cache']));
  });

  it('tells method, URL and headers without building anything', () => {
    const { request, exchange } = requestOf({
      variables: { REQUEST_METHOD: 'delete', REQUEST_URI: '/a%2Fb?c', HTTP_X_NAME: 'caf\xe9' },
    });
    expect(request.method).toBe('DELETE');
    expect(request.url).toBe('http://site.test/a%2Fb?c');
    expect(request.headers.get('X-Name')).toBe('caf\xe9');
    expect(request.headers).toBe(request.headers);
    expect(request.body).toBeNull();
    expect(exchange.built).toEqual([]);
  });

  it('has the attributes of a native one', () => {
    const { request } = requestOf();
    const native = new Request('http://site.test/') as unknown as Record<string, unknown>;
    for (const name of [
      'cache',
      'credentials',
      'destination',
      'integrity',
      'keepalive',
      'mode',
      'redirect',
      'referrer',
    ])
      expect([name, (request as unknown as Record<string, unknown>)[name]]).toEqual([name, native[name]]);
    expect(request.referrerPolicy).toBe('');
    expect(request.duplex).toBe('half');
  });

  it('fires its signal, and that of its clone, when the client leaves', () => {
    const { request, exchange } = requestOf();
    const { signal } = request;
    const clone = request.clone();
    expect([signal.aborted, clone.signal.aborted]).toEqual([false, false]);
    const reason = exchange.leave();
    expect([signal.aborted, clone.signal.aborted]).toEqual([true, true]);
    expect(signal.reason).toBe(reason);
  });

  it.each(['GET', 'HEAD'])('has no body for %s, whatever was sent', async (method) => {
    const { request, exchange } = requestOf({ variables: { REQUEST_METHOD: method }, body: 'unseen' });
    expect([request.body, request.bodyUsed, await request.text()]).toEqual([null, false, '']);
    expect([request.bodyUsed, await request.text(), exchange.input.used]).toEqual([false, '', false]);
  });

  it('has no body where none was sent', async () => {
    const { request } = requestOf({ variables: post });
    expect([request.body, await request.text(), request.bodyUsed]).toEqual([null, '', false]);
    const empty = requestOf({ variables: { ...post, CONTENT_LENGTH: '0' }, open: true });
    expect(empty.request.body).toBeNull();
    await expect(empty.request.json()).rejects.toThrow('JSON');
  });

  it('gives its body as text, JSON, bytes, a blob or a form', async () => {
    expect(await requestOf({ variables: post, body: 'gr\u00fc\u00df' }).request.text()).toBe('gr\u00fc\u00df');
    expect(await requestOf({ variables: post, body: '\ufeffbom' }).request.text()).toBe('bom');
    expect(await requestOf({ variables: post, body: '{"a":[1]}' }).request.json()).toEqual({ a: [1] });
    const buffer = await requestOf({ variables: post, body: 'bytes' }).request.arrayBuffer();
    expect([buffer instanceof ArrayBuffer, Buffer.from(buffer).toString()]).toEqual([true, 'bytes']);
    const bytes = await requestOf({ variables: post, body: 'bytes' }).request.bytes();
    expect([bytes instanceof Uint8Array, Buffer.from(bytes).toString()]).toEqual([true, 'bytes']);
    const blob = await requestOf({ variables: post, body: 'blob' }).request.blob();
    expect([blob.type, await blob.text()]).toEqual(['text/plain', 'blob']);
    const data = await requestOf({ variables: form, body: 'a=1&b=2' }).request.formData();
    expect([...data]).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
  });

  it('gives a multipart form with its file', async () => {
    const sent = new FormData();
    sent.append('name', 'v\u00e4lue');
    sent.append('file', new Blob(['content'], { type: 'text/x-own' }), 'a.txt');
    const encoded = new Response(sent);
    const type = encoded.headers.get('content-type') as string;
    const body = new Uint8Array(await encoded.arrayBuffer());
    const data = await requestOf({ variables: { ...post, CONTENT_TYPE: type }, body }).request.formData();
    const file = data.get('file') as File;
    expect([data.get('name'), file.name, file.type, await file.text()]).toEqual([
      'v\u00e4lue',
      'a.txt',
      'text/x-own',
      'content',
    ]);
  });

  it('rejects text that is no JSON', async () => {
    await expect(requestOf({ variables: post, body: '{' }).request.json()).rejects.toThrow('JSON');
  });

  it.each(['text', 'json', 'arrayBuffer', 'bytes', 'blob', 'formData'] as const)(
    'is used after %s(), and cannot be read again',
    async (method) => {
      const body = method === 'json' ? '1' : 'a=1';
      const { request } = requestOf({ variables: form, body });
      expect(request.bodyUsed).toBe(false);
      await request[method]();
      expect(request.bodyUsed).toBe(true);
      for (const again of ['text', 'json', 'arrayBuffer', 'bytes', 'blob', 'formData'] as const)
        await expect(request[again]()).rejects.toThrow('unusable');
      expect(() => request.clone()).toThrow();
      expect(request.body).not.toBeNull();
      expect(request.bodyUsed).toBe(true);
    },
  );

  it('is used as soon as reading begins', async () => {
    const { request, exchange } = requestOf({ variables: { ...post, CONTENT_LENGTH: '2' }, open: true });
    const text = request.text();
    expect(request.bodyUsed).toBe(true);
    exchange.input.push(Buffer.from('ok'));
    exchange.input.finish();
    expect(await text).toBe('ok');
  });

  it('shares its body with its clone', async () => {
    const { request } = requestOf({ variables: post, body: 'both' });
    const clone = request.clone();
    expect([await clone.text(), await request.text()]).toEqual(['both', 'both']);
    expect([clone.url, clone.method, clone.headers.get('content-type')]).toEqual([request.url, 'POST', 'text/plain']);
  });

  it('gives the same stream each time', async () => {
    const { request } = requestOf({ variables: post, body: 'streamed' });
    const { body } = request;
    expect(request.body).toBe(body);
    expect(await new Response(body).text()).toBe('streamed');
    expect(request.bodyUsed).toBe(true);
  });

  it('asks for nothing of an upload that nobody reads', async () => {
    const { request, exchange } = requestOf({ variables: { ...post, CONTENT_LENGTH: '1000000' }, open: true });
    expect(request.body).not.toBeNull();
    expect(request.clone()).toBeDefined();
    expect(exchange.wanted).toBe(0);
  });

  it('reads a body of unknown length', async () => {
    const { request, exchange } = requestOf({ variables: post, open: true });
    const text = request.text();
    exchange.input.push(Buffer.from('so '));
    exchange.input.push(Buffer.from('far'));
    exchange.input.finish();
    expect(await text).toBe('so far');
  });

  it('rejects its readers with the reason when the client leaves', async () => {
    const direct = requestOf({ variables: { ...post, CONTENT_LENGTH: '9' }, open: true });
    const text = direct.request.text();
    const reason = direct.exchange.leave();
    await expect(text).rejects.toBe(reason);
    const streamed = requestOf({ variables: { ...form, CONTENT_LENGTH: '9' }, open: true });
    const data = streamed.request.formData();
    const second = streamed.exchange.leave();
    await expect(data).rejects.toBe(second);
  });

  it('raises no alarm about a body that nobody waits for', async () => {
    const alarms: unknown[] = [];
    const note = (reason: unknown): void => void alarms.push(reason);
    process.on('unhandledRejection', note);
    const { request, exchange } = requestOf({ variables: { ...post, CONTENT_LENGTH: '9' }, open: true });
    void request.text();
    exchange.leave();
    let turns = 0;
    await until(() => turns++ > 3);
    process.off('unhandledRejection', note);
    expect(alarms).toEqual([]);
  });

  it('can be the second argument of new Request', async () => {
    const { request } = requestOf({ variables: { ...post, HTTP_X_NAME: 'n' }, body: 'moved' });
    const moved = new Request('http://other.test/path', request);
    expect([moved.url, moved.method, moved.headers.get('x-name'), await moved.text()]).toEqual([
      'http://other.test/path',
      'POST',
      'n',
      'moved',
    ]);
    expect(request.bodyUsed).toBe(true);
  });

  it('becomes a native request by toRequest, which takes any other as it is', async () => {
    const { request } = requestOf({ variables: post, body: 'native' });
    request.headers.set('x-set', 'before');
    const native = toRequest(request);
    expect(toRequest(request)).toBe(native);
    expect(toRequest(native)).toBe(native);
    request.headers.append('x-set', 'after');
    const copy = new Request(native);
    expect([copy.url, copy.headers.get('x-set'), await copy.text()]).toEqual([request.url, 'before, after', 'native']);
  });

  it('can be copied by new Request up to Node 22; from Node 24 on that is a TypeError', async () => {
    const { request } = requestOf({ variables: post, body: 'copied' });
    const [major] = process.versions.node.split('.').map(Number);
    if (major < 24) {
      request.headers.set('x-set', 'yes');
      const copy = new Request(request, { headers: request.headers });
      expect([copy.url, copy.method, copy.headers.get('x-set'), await copy.text()]).toEqual([
        request.url,
        'POST',
        'yes',
        'copied',
      ]);
      expect(request.bodyUsed).toBe(true);
    } else expect(() => new Request(request)).toThrow(expect.objectContaining({ name: 'TypeError' }));
  });

  it('leads to the environ', () => {
    const { request } = requestOf({ variables: { REMOTE_USER: 'ada' } });
    expect(environOf(request)?.REMOTE_USER).toBe('ada');
    expect(environOf(new Request('http://site.test/'))).toBeUndefined();
  });

  it('carries what h3 looks for: context, ip and waitUntil', () => {
    const { request, context } = requestOf();
    const served = request as unknown as { context: unknown; ip: string; waitUntil: unknown };
    expect(served.context).toBe(context);
    expect(served.ip).toBe('192.0.2.7');
    expect(typeof served.waitUntil).toBe('function');
    served.context = { own: true };
    expect(served.context).toEqual({ own: true });
  });

  it('is shown by inspect', () => {
    const text = inspect(requestOf({ variables: post, body: 'x' }).request);
    expect(text).toContain("url: 'http://site.test/up?x=1'");
    expect(text).toContain("'content-type': 'text/plain'");
  });
});
