import { createServer } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { pickExport } from '../src/app-export.ts';

const app = (): null => null;
const other = (): null => null;

class Framework {
  app = other;
  callback(): void {}
}

describe('pickExport', () => {
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
    expect(pickExport(namespace, '/app.mjs').app).toBe(expected);
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
    expect(() => pickExport(namespace, '/app.mjs')).toThrow(
      expect.objectContaining({ code: 'ERR_APP_EXPORT', message: expect.stringContaining(message) }),
    );
  });
});
