import { createServer as createHttpServer } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { environOf } from '../src/environ-of.ts';
import { type Served, serve } from '../src/serve.ts';
import { ask } from './ask.ts';

const running: Served[] = [];
afterEach(async () => {
  for (const served of running.splice(0)) await served.close(0);
});

async function answerOf(app: unknown): Promise<string> {
  const served = await serve(app, { listen: 'fastcgi://127.0.0.1:0' });
  running.push(served);
  return (await ask(served.addresses[0], '/', { REMOTE_USER: 'ada', APP_ZONE: 'north' })).text;
}

const told = (request: object): string => `${environOf(request).REMOTE_USER} ${environOf(request).APP_ZONE}`;

describe('environOf tells what the web server vouches for', () => {
  it.each([
    ['the request of node:http', createHttpServer((req, res) => res.end(told(req)))],
    ['what Koa makes of it', createHttpServer((req, res) => res.end(told({ req, request: { req } })))],
    ['what Fastify makes of it', createHttpServer((req, res) => res.end(told({ raw: req })))],
    ['the Request of a fetch handler', { fetch: (request: Request) => new Response(told(request)) }],
    ['the context of Hono', { fetch: (raw: Request) => new Response(told({ req: { raw } })) }],
    ['the event of h3', { fetch: (req: Request) => new Response(told({ req })) }],
  ])('from %s', async (_, app) => {
    expect(await answerOf(app)).toBe('ada north');
  });

  it('and not from a request that came another way', () => {
    expect(() => environOf(new Request('http://localhost/'))).toThrow(TypeError);
    expect(() => environOf({})).toThrow(TypeError);
  });
});
