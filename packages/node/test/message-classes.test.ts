import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { attach, nodeHandler, type RequestListener } from '../src/node-handler.ts';
import { serve } from './fake-exchange.ts';

type Seen = { req: IncomingMessage; res: ServerResponse };
type App = RequestListener & { request?: unknown; response?: unknown; seen: unknown[][] };

/** An app that notes the prototypes of what it is given, then sets its own, as Express does. */
function makeApp(prototypes: { request?: unknown; response?: unknown }): App {
  const app: App = Object.assign(
    (req: IncomingMessage, res: ServerResponse) => {
      app.seen.push([Object.getPrototypeOf(req), Object.getPrototypeOf(res)]);
      res.setHeader('x-url', String(req.url));
      res.end(req.headers.host);
    },
    { ...prototypes, seen: [] },
  );
  return app;
}

const ownPrototypes = (): { request: object; response: object } => ({
  request: Object.create(IncomingMessage.prototype, { app: { value: 'the app' } }),
  response: Object.create(Object.create(ServerResponse.prototype), { app: { value: 'the app' } }),
});

const nodePrototypes = [IncomingMessage.prototype, ServerResponse.prototype];

describe('an app with prototypes for its requests and responses', () => {
  it('is given requests and responses that have them', () => {
    const app = makeApp(ownPrototypes());
    const exchange = serve(nodeHandler(app), { target: '/a', headers: { host: 'site.test' } });
    expect(app.seen).toEqual([[app.request, app.response]]);
    expect(exchange.header('x-url')).toEqual(['/a']);
    expect([exchange.status, exchange.body]).toEqual([200, 'site.test']);
  });

  it('has them with the very properties of node:http', () => {
    const keys: (string | symbol)[][] = [];
    const listener: RequestListener = (req, res) => {
      keys.push([...Reflect.ownKeys(req), ...Reflect.ownKeys(res)]);
      res.end();
    };
    serve(nodeHandler(listener));
    serve(nodeHandler(Object.assign((...both: Parameters<RequestListener>) => listener(...both), ownPrototypes())));
    expect(keys[1]).toEqual(keys[0]);
  });

  it('may have others for the next request, and none for the one behind', () => {
    const app = makeApp(ownPrototypes());
    const handler = nodeHandler(app);
    serve(handler);
    const others = ownPrototypes();
    Object.assign(app, others);
    serve(handler);
    Object.assign(app, { request: undefined, response: undefined });
    serve(handler);
    expect(app.seen.slice(1)).toEqual([[others.request, others.response], nodePrototypes]);
  });

  it('is found behind a server that does not listen', () => {
    const app = makeApp(ownPrototypes());
    const server = createServer(app);
    const handler = attach(server);
    serve(handler);
    server.removeAllListeners('request');
    const seen: Partial<Seen> = {};
    server.on('request', (req, res) => Object.assign(seen, { req, res }));
    serve(handler);
    expect(app.seen).toEqual([[app.request, app.response]]);
    expect(Object.getPrototypeOf(seen.req)).toBe(IncomingMessage.prototype);
    expect(Object.getPrototypeOf(seen.res)).toBe(ServerResponse.prototype);
  });

  it('is not looked for behind a server that does not tell its listeners', () => {
    const app = makeApp(ownPrototypes());
    const exchange = serve(attach({ emit: (_event, ...both) => [app(...(both as Parameters<App>))].length > 0 }));
    expect(app.seen).toEqual([nodePrototypes]);
    expect(exchange.status).toBe(200);
  });
});

describe('what is no prototype of requests', () => {
  const swallowed: unknown[] = [];
  it.each<[string, unknown]>([
    ['null', null],
    ['text', 'a request'],
    ['a function', () => {}],
    ['an object of another kind', {}],
    ['the prototype of responses', ServerResponse.prototype],
    [
      'one with a setter for what every request has',
      {
        __proto__: IncomingMessage.prototype,
        get url() {
          return '/elsewhere';
        },
        set url(value) {
          swallowed.push(value);
        },
      },
    ],
    ['one that forbids what every request has', Object.create(IncomingMessage.prototype, { url: { value: '/fixed' } })],
  ])('is left alone: %s', (_what, request) => {
    const app = makeApp({ request, response: request });
    const exchange = serve(nodeHandler(app), { target: '/a' });
    const response = request === ServerResponse.prototype ? request : ServerResponse.prototype;
    expect(app.seen).toEqual([[IncomingMessage.prototype, response]]);
    expect(exchange.header('x-url')).toEqual(['/a']);
  });
});
