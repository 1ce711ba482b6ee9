import { createServer } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { pickExports } from '../src/app-export.ts';

const app = (): null => null;
const other = (): null => null;

class Framework {
  app = other;
  callback(): void {}
}

describe('pickExports', () => {
  const framework = new Framework();
  const server = createServer();
  const fetchApp = { fetch: app, app: other };
  const fastify = { ready: app, routing: app, inject: app };

  it.each([
    ['the default export before all', { default: app, app: other, handler: other }, app],
    ['app', { app, handler: other }, app],
    ['handler', { handler: app }, app],
    ['app where the default is no app', { default: 'text', app }, app],
    ['module.exports of CommonJS', { default: app, 'module.exports': app }, app],
    ['exports.app of CommonJS', { default: { app } }, app],
    ['exports.handler of CommonJS that other names surround', { default: { start: other, handler: app } }, app],
    ['the default of a compiled module', { default: { __esModule: true, default: app, app: other } }, app],
    ['an object with fetch, whatever else is in it', { default: fetchApp }, fetchApp],
    ['an object of a framework, whatever else is in it', { default: framework }, framework],
    ['an object of a framework without a class', { default: fastify }, fastify],
    ['an http.Server', { default: server }, server],
  ])('takes %s', (_, namespace, expected) => {
    expect(pickExports(namespace, '/app.mjs').app).toBe(expected);
  });

  it.each<[string, object, object]>([
    ['beside the app', { default: app, authorizer: other, filter: other }, { app, authorizer: other, filter: other }],
    ['without an app', { authorizer: other }, { app: undefined, authorizer: other, filter: undefined }],
    ['of CommonJS', { default: { app, filter: other } }, { app, authorizer: undefined, filter: other }],
    ['of CommonJS without an app', { default: { authorizer: other } }, { app: undefined, authorizer: other }],
    ['by name before that of CommonJS', { default: { app, filter: app }, filter: other }, { app, filter: other }],
  ])('takes authorizer and filter %s', (_, namespace, expected) => {
    expect(pickExports(namespace, '/app.mjs')).toMatchObject(expected);
  });

  it('takes an authorizer beside fetch in one object', () => {
    const both = { ...fetchApp, authorizer: other };
    expect(pickExports({ default: both }, '/app.mjs')).toEqual({ app: both, authorizer: other, filter: undefined });
  });

  it.each([5, 'jwt', { active: true }, ['a']])(
    'passes over %j beside an app: the name may be that of anything',
    (data) => {
      expect(pickExports({ default: app, authorizer: data, filter: data }, '/app.mjs')).toEqual({
        app,
        authorizer: undefined,
        filter: undefined,
      });
    },
  );

  it.each<[string, object]>([
    [
      'an object of a class with fetch',
      Object.assign(
        new (class {
          fetch = app;
        })(),
        { filter: other },
      ),
    ],
    ['the default of a compiled module', { __esModule: true, default: { ...fetchApp, filter: other } }],
  ])('takes a filter of %s', (_, exported) => {
    expect(pickExports({ default: exported }, '/app.mjs').filter).toBe(other);
  });

  it('takes none of an app of a framework, nor what an object has by its class', () => {
    for (const exported of [Object.assign(createServer(), { filter: other }), { ...fastify, filter: other }])
      expect(pickExports({ default: exported }, '/app.mjs').filter).toBeUndefined();
    const router = new Proxy(fetchApp, { get: () => other });
    expect(pickExports({ default: router }, '/app.mjs').filter).toBeUndefined();
  });

  it('does not pass over what may be an app, and what is alone', () => {
    const waiting = Promise.resolve(other);
    expect(pickExports({ default: app, authorizer: waiting }, '/app.mjs').authorizer).toBe(waiting);
    expect(pickExports({ default: app, filter: fastify }, '/app.mjs').filter).toBe(fastify);
    expect(pickExports({ authorizer: 5 }, '/app.mjs').authorizer).toBe(5);
  });

  it('has no authorizer and no filter where there is none', () => {
    expect(pickExports({ default: app }, '/app.mjs')).toEqual({ app, authorizer: undefined, filter: undefined });
    // of a function a property of that name may be anything
    expect(pickExports({ default: Object.assign(() => 1, { filter: other }) }, '/app.mjs').filter).toBeUndefined();
  });

  it.each([
    [{}, '/app.mjs exports nothing'],
    [{ default: undefined }, '/app.mjs exports no application (but default)'],
    [{ start: app, name: 'x' }, '/app.mjs exports no application (but start, name)'],
    [
      { default: { start: app }, start: app, 'module.exports': {} },
      '/app.mjs exports no application (but default, start)',
    ],
    [{ default: 5, app: null, handler: 'x' }, '/app.mjs exports no application'],
  ])('refuses %j', (namespace, message) => {
    expect(() => pickExports(namespace, '/app.mjs')).toThrow(
      expect.objectContaining({ code: 'ERR_APP_EXPORT', message: expect.stringContaining(message) }),
    );
  });
});
