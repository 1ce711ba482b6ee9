import { IncomingMessage, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { environOf, exchangeOf } from '../src/environ-of.ts';
import { nodeHandler } from '../src/node-handler.ts';
import { serve } from './fake-exchange.ts';

describe('the environ of a request', () => {
  it.each<[string, (req: IncomingMessage, res: ServerResponse) => object]>([
    ['the request itself', (req) => req],
    ['an object that inherits from it', (req) => Object.create(req)],
    ['its response', (_req, res) => res],
    ['a Fastify request', (req) => ({ raw: req, params: {} })],
    ['a Koa context', (req) => ({ req, request: { req } })],
    ['a Koa request', (req) => ({ req, socket: req.socket })],
    ['an h3 event', (req) => ({ node: { req } })],
    ["the context of Hono's listener", (req) => ({ env: { incoming: req } })],
  ])('is found by %s', (_what, wrap) => {
    let seen: unknown;
    const exchange = serve(
      nodeHandler((req, res) => {
        seen = environOf(wrap(req, res)).REMOTE_USER;
        expect(exchangeOf(wrap(req, res))).toHaveProperty('head.target', '/');
        res.end();
      }),
      { variables: { REMOTE_USER: 'alice' } },
    );
    expect(exchange.failures).toEqual([]);
    expect(seen).toBe('alice');
  });

  it('is there after the reply', async () => {
    let request: IncomingMessage | undefined;
    const exchange = serve(
      nodeHandler((req, res) => {
        request = req;
        res.end();
      }),
      { variables: { AUTH_TYPE: 'Basic' } },
    );
    await exchange.done;
    expect(environOf(request as IncomingMessage).AUTH_TYPE).toBe('Basic');
  });

  it('is refused by name for a request that came over plain http, and for what is no request', () => {
    expect(() => environOf(new IncomingMessage(new Socket()))).toThrow(/there is no environ.*plain http/);
    const cycle: Record<string, unknown> = {};
    cycle.req = cycle;
    cycle.raw = { req: cycle };
    expect(() => environOf(cycle)).toThrow(TypeError);
  });
});
