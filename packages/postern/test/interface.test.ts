import { createServer as createHttpServer } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Interface, prepareApp } from '../src/interface.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** What a framework's application looks like, and what was called on it. */
class FakeFastify {
  readonly calls: string[] = [];
  server = { listening: false };
  routing = (_req: unknown, _res: unknown): void => {};
  inject(): void {}
  async ready(): Promise<void> {
    this.calls.push('ready');
  }
  async close(): Promise<void> {
    this.calls.push('close');
  }
}

class FakeNest {
  readonly calls: string[] = [];
  readonly #instance: unknown;
  constructor(instance: unknown) {
    this.#instance = instance;
  }
  async init(): Promise<this> {
    this.calls.push('init');
    return this;
  }
  getHttpAdapter(): { getInstance(): unknown } {
    return { getInstance: () => this.#instance };
  }
  async close(): Promise<void> {
    this.calls.push('close');
  }
}

class FakeKoa {
  use(): void {}
  callback(): (req: unknown, res: unknown) => void {
    return (_req, _res) => {};
  }
}

/** itty-router: every property that is asked for is a function that registers a route, `then` too. */
function fakeItty(): object {
  return new Proxy(
    { fetch: async () => new Response('itty') },
    { get: (target, name) => (name === 'fetch' ? target.fetch : () => undefined) },
  );
}

const express = Object.assign((_req: unknown, _res: unknown, _next: unknown) => {}, {
  handle() {},
  use() {},
  init() {},
});

describe('prepareApp finds the kind of', () => {
  it.each<[string, unknown, Interface]>([
    ['an object with fetch', { fetch: () => new Response('x') }, 'fetch'],
    ['a function with fetch', Object.assign(() => {}, { fetch: () => new Response('x') }), 'fetch'],
    ['a router that has every method', fakeItty(), 'fetch'],
    ['an http.Server', createHttpServer(), 'node'],
    ['Express and connect', express, 'node'],
    ['a function (req, res)', (_req: unknown, _res: unknown) => {}, 'node'],
    ['Koa', new FakeKoa(), 'node'],
    ['Fastify', new FakeFastify(), 'node'],
    ['NestJS on Express', new FakeNest(express), 'node'],
    ['NestJS on Fastify', new FakeNest(new FakeFastify()), 'node'],
    ['a function of one parameter', (_environ: unknown) => ({ status: 200 }), 'environ'],
    ['what a promise gives', Promise.resolve((_environ: unknown) => ({ status: 200 })), 'environ'],
  ])('%s', async (_, app, kind) => {
    const prepared = await prepareApp(app, undefined);
    expect(prepared.interface).toBe(kind);
    expect(prepared.handler).toBeInstanceOf(Function);
  });
});

describe('prepareApp', () => {
  it('makes Fastify ready, and closes it afterwards', async () => {
    const app = new FakeFastify();
    const { close } = await prepareApp(app, undefined);
    expect(app.calls).toEqual(['ready']);
    await close?.();
    expect(app.calls).toEqual(['ready', 'close']);
  });

  it('initialises NestJS and what is under it, and closes NestJS afterwards', async () => {
    const inner = new FakeFastify();
    const app = new FakeNest(inner);
    const { close } = await prepareApp(app, undefined);
    expect([app.calls, inner.calls]).toEqual([['init'], ['ready']]);
    await close?.();
    expect([app.calls, inner.calls]).toEqual([['init', 'close'], ['ready']]);
  });

  it('has a listener of node apps alone, which is what HTTP is served with', async () => {
    const server = createHttpServer();
    const listener = (_req: unknown, _res: unknown): void => {};
    const fastify = new FakeFastify();
    expect((await prepareApp(server, undefined)).listener).toBe(server);
    expect((await prepareApp(listener, undefined)).listener).toBe(listener);
    expect((await prepareApp(fastify, undefined)).listener).toBe(fastify.routing);
    expect((await prepareApp((_environ: unknown) => ({ status: 200 }), undefined)).listener).toBeUndefined();
    expect((await prepareApp({ fetch: () => new Response('x') }, undefined)).listener).toBeUndefined();
  });

  it('has nothing to close of an app without a close of its own', async () => {
    expect((await prepareApp((_environ: unknown) => ({ status: 200 }), undefined)).close).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['a function of no parameters', () => ({ status: 200 })],
    ['an object', {}],
    ['an object of class Map', new Map()],
  ])('refuses %s, and names the three kinds', async (what, app) => {
    await expect(prepareApp(app, undefined, '/app.mjs')).rejects.toMatchObject({
      code: 'ERR_APP_INTERFACE',
      message: expect.stringMatching(
        new RegExp(`^/app.mjs is ${what}, whose kind .*--interface environ, node or fetch$`),
      ),
    });
  });

  it.each([[undefined], [null], ['text'], [5]])('refuses %j', async (app) => {
    await expect(prepareApp(app, undefined)).rejects.toMatchObject({ code: 'ERR_APP_EXPORT' });
  });

  it.each<[string, unknown, Interface]>([
    ['a function of no parameters as environ', () => ({ status: 200 }), 'environ'],
    ['a function of two parameters as environ', (_a: unknown, _b: unknown) => ({ status: 200 }), 'environ'],
    ['a function of one parameter as fetch', (_request: unknown) => new Response('x'), 'fetch'],
    ['a function of no parameters as node', () => {}, 'node'],
    ['an object with fetch as fetch', { fetch: () => new Response('x') }, 'fetch'],
    ['Koa as node', new FakeKoa(), 'node'],
  ])('takes %s when it is told to', async (_, app, forced) => {
    expect((await prepareApp(app, forced)).interface).toBe(forced);
  });

  it.each<[unknown, Interface]>([
    [{}, 'environ'],
    [{ fetch: () => new Response('x') }, 'environ'],
    [{}, 'fetch'],
    [new FakeKoa(), 'fetch'],
    [{}, 'node'],
    [{ fetch: () => new Response('x') }, 'node'],
  ])('refuses %j as %s', async (app, forced) => {
    await expect(prepareApp(app, forced)).rejects.toMatchObject({
      code: 'ERR_APP_INTERFACE',
      message: expect.stringContaining(`which cannot be ${forced}`),
    });
  });

  it('refuses an interface that there is not', async () => {
    await expect(prepareApp(express, 'wsgi' as never)).rejects.toMatchObject({
      code: 'ERR_APP_INTERFACE',
      message: 'there is no interface "wsgi": choose environ, node or fetch',
    });
  });

  it('refuses a server that listens already', async () => {
    const server = createHttpServer();
    closing.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await expect(prepareApp(server, undefined)).rejects.toMatchObject({
      code: 'ERR_APP_INTERFACE',
      message: expect.stringContaining('listens already'),
    });
    const fastify = new FakeFastify();
    fastify.server.listening = true;
    await expect(prepareApp(fastify, undefined)).rejects.toThrow(/listens already/);
    expect(fastify.calls).toEqual([]);
  });

  it('tells why an app could not be made ready', async () => {
    const fastify = new FakeFastify();
    fastify.ready = () => Promise.reject(new Error('no database'));
    await expect(prepareApp(fastify, undefined)).rejects.toMatchObject({
      code: 'ERR_APP_LOAD',
      message: expect.stringContaining('Fastify application could not be made ready: Error: no database'),
    });
    await expect(prepareApp(Promise.reject(new Error('no network')), undefined, '/app.mjs')).rejects.toMatchObject({
      code: 'ERR_APP_LOAD',
      message: 'the promise of /app.mjs was rejected: Error: no network',
    });
  });
});
