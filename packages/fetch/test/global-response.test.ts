import { describe, expect, it } from '@jest/globals';
import { fetchAuthorizer, fetchHandler } from '../src/index.ts';
import { FakeExchange } from './fake-exchange.ts';

/** The global is of this file alone; each case goes on where the one before it ended. */
describe('the global Response', () => {
  const Native = globalThis.Response;

  it('stays as it is for an authorizer, and for an application that says so', async () => {
    fetchAuthorizer(() => ({ allow: {} }));
    const exchange = new FakeExchange();
    fetchHandler({ fetch: () => new Response('native'), overrideGlobalObjects: false })(exchange);
    await exchange.done;
    expect(globalThis.Response).toBe(Native);
    expect([exchange.status, exchange.text]).toEqual([200, 'native']);
  });

  it('becomes a light one for a handler, once', async () => {
    const made = new Response('made before');
    const handle = fetchHandler((request) => (request.url.endsWith('/made') ? made : new Response('light')));
    const Light = globalThis.Response;
    expect(Light).not.toBe(Native);
    fetchHandler({ fetch: () => new Response() });
    expect(globalThis.Response).toBe(Light);
    expect(made instanceof Response).toBe(true);
    const [light, before] = [new FakeExchange(), new FakeExchange({ variables: { REQUEST_URI: '/made' } })];
    handle(light);
    handle(before);
    // from Node 24 on what a native one is made of is not known: it is read as a stream
    await before.done;
    expect([light.text, light.headers]).toEqual(['light', ['content-type', 'text/plain;charset=UTF-8']]);
    expect([before.text, before.headers]).toEqual(['made before', ['content-type', 'text/plain;charset=UTF-8']]);
  });

  it('stays that of another who has replaced it', () => {
    const Other = class extends Native {};
    globalThis.Response = Other as typeof Response;
    fetchHandler(() => new Response());
    expect(globalThis.Response).toBe(Other);
  });
});
