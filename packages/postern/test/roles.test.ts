import { afterEach, describe, expect, it } from '@jest/globals';
import type { Authorizer, Environ } from '@postern/core';
import { allow } from '@postern/node';
import { createServer, type GatewayServer } from '../src/create-server.ts';
import { prepareRoles, type RoleExports } from '../src/roles.ts';
import { type Served, type ServeOptions, serve } from '../src/serve.ts';
import { ask } from './ask.ts';
import { askAs, unknownRole } from './ask-role.ts';

const TCP = 'fastcgi://127.0.0.1:0';
const running: (Served | GatewayServer)[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) {
    if ('addresses' in one) await one.close(0);
    else await one[Symbol.asyncDispose]();
  }
});

async function started(app: unknown, options: Partial<ServeOptions> = {}): Promise<string> {
  const served = await serve(app, { listen: TCP, ...options });
  running.push(served);
  return served.addresses[0];
}

const app = (environ: Environ) => ({ status: 200, body: `app ${environ['gateway.role']}` });
const filter = async (environ: Environ) => ({ status: 200, body: `[${await environ['gateway.data']?.text()}]` });
const authorizer: Authorizer = ({ HTTP_X_TOKEN: token }) =>
  token === 'right' ? { allow: { USER: 'joe' } } : { status: 403, headers: { 'X-Why': 'token' }, body: 'no' };
const right = { variables: { HTTP_X_TOKEN: 'right' } };
const allowed = 'Status: 200 OK\r\nVariable-USER: joe\r\n\r\n';

/** The same authorizer in each of its kinds, and a filter of each. */
const kinds: [string, RoleExports][] = [
  ['environ', { authorizer, filter }],
  [
    'fetch',
    {
      authorizer: {
        fetch: (request: Request) =>
          request.headers.get('x-token') === 'right'
            ? { allow: { USER: 'joe' } }
            : new Response('no', { status: 403, headers: { 'x-why': 'token' } }),
      },
      filter: {
        fetch: async (_: Request, context: { data?: { text(): Promise<string> } }) =>
          new Response(`[${await context.data?.text()}]`),
      },
    },
  ],
  [
    'node',
    {
      // biome-ignore lint/suspicious/noExplicitAny: what node:http gives
      authorizer: (req: any, res: any) => {
        if (req.headers['x-token'] === 'right') allow(res, { USER: 'joe' });
        else res.writeHead(403, { 'X-Why': 'token' }).end('no');
      },
      // biome-ignore lint/suspicious/noExplicitAny: what node:http gives
      filter: async (req: any, res: any) => {
        const { environOf } = await import('@postern/node');
        res.end(`[${await environOf(req)['gateway.data']?.text()}]`);
      },
    },
  ],
];

describe.each(kinds)('serve with an authorizer and a filter of the kind %s', (_, given) => {
  it('asks each in its own role', async () => {
    const address = await started(app, given);
    expect((await askAs('responder', address)).stdout).toContain('app responder');
    expect(await askAs('authorizer', address, right)).toMatchObject({ stdout: allowed, end: '0000000000000000' });
    const denied = (await askAs('authorizer', address)).stdout;
    expect(denied).toMatch(/^Status: 403 Forbidden\r\n/);
    expect(denied).toMatch(/x-why: token\r\n/i);
    expect(denied).toMatch(/\r\n\r\nno$/);
    expect((await askAs('filter', address, { file: 'the file' })).stdout).toMatch(/\[the file\]$/);
  });

  it('answers HEAD without a body', async () => {
    const address = await started(app, given);
    const variables = { REQUEST_METHOD: 'HEAD' };
    expect((await askAs('authorizer', address, { variables })).stdout).toMatch(/^Status: 403 .*\r\n\r\n$/s);
    const both = { variables: { ...variables, ...right.variables } };
    expect((await askAs('authorizer', address, both)).stdout).toBe(allowed);
  });
});

describe('serve', () => {
  it('does not ask an app in a role that it was not given for', async () => {
    const plain = await started(app);
    expect((await askAs('authorizer', plain)).end).toBe(unknownRole);
    expect((await askAs('filter', plain)).end).toBe(unknownRole);
    const guarded = await started(app, { authorizer });
    expect((await askAs('filter', guarded)).end).toBe(unknownRole);
  });

  it('serves an authorizer or a filter without an app, in that role alone', async () => {
    const alone = await started(undefined, { authorizer });
    expect((await askAs('authorizer', alone, right)).stdout).toBe(allowed);
    expect((await askAs('responder', alone)).end).toBe(unknownRole);
    const filters = await started(undefined, { filter });
    expect((await askAs('filter', filters, { file: 'x' })).stdout).toMatch(/\[x\]$/);
    expect((await askAs('responder', filters)).end).toBe(unknownRole);
  });

  it.each(['scgi://127.0.0.1:0', 'uwsgi://127.0.0.1:0', 'http://127.0.0.1:0', 'ajp://127.0.0.1:0'])(
    'refuses to serve an authorizer alone on %s, also beside FastCGI, and listens nowhere',
    async (address) => {
      const protocol = address.slice(0, address.indexOf(':'));
      for (const listen of [[address], [TCP, address]]) {
        await expect(serve(undefined, { listen, authorizer })).rejects.toMatchObject({
          code: 'ERR_ROLE',
          message: `${protocol} cannot serve an authorizer without an app: FastCGI alone has roles: listen on fastcgi://127.0.0.1:9000, or export an app too`,
        });
      }
      await expect(serve(undefined, { listen: address, authorizer, filter })).rejects.toThrow(
        /cannot serve an authorizer and a filter without an app/,
      );
      await expect(serve(undefined, { listen: address, filter })).rejects.toThrow(
        /cannot serve a filter without an app/,
      );
    },
  );

  it('serves an app with an authorizer over other protocols too, where nobody asks the authorizer', async () => {
    const served = await serve(app, { listen: ['scgi://127.0.0.1:0', TCP], authorizer });
    running.push(served);
    expect((await askAs('authorizer', served.addresses[1], right)).stdout).toBe(allowed);
    expect(served.addresses[0]).toMatch(/^scgi:/);
  });

  it('tells the operator of an authorizer that fails, and denies', async () => {
    const failures: unknown[] = [];
    const onError = (error: unknown): void => void failures.push((error as { code?: string }).code ?? String(error));
    const answers = [() => ({ status: 200, body: 'ok' }), () => undefined, () => Promise.reject(new Error('secret'))];
    for (const answer of answers) {
      const address = await started(app, { authorizer: (_: Environ) => answer(), onError });
      const { stdout, stderr } = await askAs('authorizer', address);
      expect(stdout).toMatch(/^Status: 500 Internal Server Error\r\n/);
      expect(stdout).not.toContain('secret');
      expect(stderr).not.toBe('');
    }
    expect(failures).toEqual(['ERR_AUTHORIZER', 'ERR_APP_REPLY', 'Error: secret']);
  });

  it('takes the kind that is forced for all of them', async () => {
    const address = await started((..._: unknown[]) => new Response('app'), {
      interface: 'fetch',
      authorizer: (_request: Request, _context: unknown) => ({ allow: { USER: 'joe' } }),
    });
    expect((await askAs('authorizer', address)).stdout).toBe(allowed);
    expect((await askAs('responder', address)).stdout).toMatch(/app$/);
  });

  it.each<[string, ServeOptions['interface'], unknown, unknown]>([
    ['(req, res)', 'environ', (environ: Environ) => app(environ), kinds[2][1].authorizer],
    ['an object with fetch', 'environ', (environ: Environ) => app(environ), kinds[1][1].authorizer],
    [
      'an object with fetch',
      'node',
      (_req: unknown, res: { end(text: string): void }) => res.end('app responder'),
      kinds[1][1].authorizer,
    ],
    [
      '(req, res)',
      'node',
      (_req: unknown, res: { end(text: string): void }) => res.end('app responder'),
      kinds[2][1].authorizer,
    ],
    ['no parameter', 'environ', (environ: Environ) => app(environ), () => ({ allow: { USER: 'joe' } })],
  ])('knows an authorizer that is %s where the app is forced to be %s', async (_, forced, responder, given) => {
    const address = await started(responder, { interface: forced, authorizer: given });
    expect((await askAs('authorizer', address, right)).stdout).toBe(allowed);
    expect((await askAs('responder', address)).stdout).toMatch(/app responder$/);
  });

  it.each<[Partial<ServeOptions>, string, RegExp]>([
    [{ authorizer: {} }, 'ERR_APP_INTERFACE', /^the authorizer is an object, whose kind is unclear: /],
    [{ authorizer: () => ({}) }, 'ERR_APP_INTERFACE', /^the authorizer is a function of no parameters/],
    [{ filter: 'x' }, 'ERR_APP_EXPORT', /^the filter is of type string: /],
    [{ authorizer: null }, 'ERR_APP_EXPORT', /^the authorizer is null: /],
    [{ authorizer: Promise.reject(new Error('no key')) }, 'ERR_APP_LOAD', /^the promise of the authorizer .* no key$/],
  ])('refuses %j', async (options, code, message) => {
    await expect(serve(app, { listen: TCP, ...options })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it('still needs something to serve', async () => {
    await expect(serve(undefined, { listen: TCP })).rejects.toMatchObject({ code: 'ERR_APP_EXPORT' });
  });
});

describe('prepareRoles', () => {
  it('offers what it was given, and leaves an app by itself as it is', async () => {
    expect((await prepareRoles({ app })).roles).toBeUndefined();
    expect((await prepareRoles({ app, filter })).roles).toEqual(['responder', 'filter']);
    expect((await prepareRoles({ authorizer, filter })).roles).toEqual(['authorizer', 'filter']);
    expect((await prepareRoles({ app, authorizer, filter })).roles).toEqual(['responder', 'authorizer', 'filter']);
  });

  it('names what it cannot make ready by its role', async () => {
    await expect(prepareRoles({ app, authorizer: {} }, undefined, '/app.mjs')).rejects.toThrow(
      /^authorizer of \/app.mjs is an object, whose kind is unclear/,
    );
  });

  it('keeps the listener of a node app for HTTP, and closes whatever has a close', async () => {
    const closed: string[] = [];
    const fastify = (name: string) => ({
      server: { listening: false },
      routing: (_req: unknown, _res: unknown) => {},
      inject() {},
      async ready() {},
      async close() {
        closed.push(name);
        if (name === 'app') throw new Error('cannot close');
      },
    });
    const given = { app: fastify('app'), authorizer: fastify('authorizer') };
    const prepared = await prepareRoles(given);
    expect(prepared.listener).toBe(given.app.routing);
    await expect(prepared.close?.()).rejects.toThrow('cannot close');
    expect(closed).toEqual(['app', 'authorizer']);
    expect((await prepareRoles({ authorizer })).listener).toBeUndefined();
  });
});

describe('createServer with an authorizer and a filter', () => {
  async function listening(server: GatewayServer): Promise<string> {
    running.push(server);
    await new Promise<void>((resolve, reject) => server.on('error', reject).listen(0, resolve));
    return `fastcgi://127.0.0.1:${(server.address() as { port: number }).port}`;
  }

  it.each(kinds)('of the kind %s asks each in its own role', async (_, given) => {
    const address = await listening(createServer(given, (_req, res) => void res.end('app')));
    expect((await ask(address)).text).toBe('app');
    expect((await askAs('authorizer', address, right)).stdout).toBe(allowed);
    expect((await askAs('authorizer', address)).stdout).toMatch(/^Status: 403 /);
    expect((await askAs('filter', address, { file: 'x' })).stdout).toMatch(/\[x\]$/);
  });

  it('offers no other role', async () => {
    const address = await listening(createServer({ authorizer }, (_req, res) => void res.end('app')));
    expect((await askAs('filter', address)).end).toBe(unknownRole);
    const plain = await listening(createServer((_req, res) => void res.end('app')));
    expect((await askAs('authorizer', plain)).end).toBe(unknownRole);
  });

  /** What Fastify looks like. */
  function fastify(closed: string[], close = async (): Promise<void> => {}) {
    const routing = (_req: unknown, res: { writeHead(status: number): { end(): void } }): void =>
      res.writeHead(401).end();
    const closing = async (): Promise<void> => {
      closed.push('closed');
      await close();
    };
    return { server: { listening: false }, routing, inject() {}, async ready() {}, close: closing };
  }

  async function ends(server: GatewayServer): Promise<void> {
    await new Promise((resolve) => server.close(resolve));
  }

  it('closes an authorizer with a close of its own before it says close, each time', async () => {
    const closed: string[] = [];
    const server = createServer({ authorizer: fastify(closed) }, (_req, res) => void res.end('app'));
    for (const times of [1, 2]) {
      const address = await listening(server);
      expect((await askAs('authorizer', address)).stdout).toMatch(/^Status: 401 /);
      await ends(server);
      expect(closed).toHaveLength(times);
    }
  });

  it('tells of a close that fails, and waits for none longer than grace', async () => {
    const errors: unknown[] = [];
    const failing = fastify([], () => Promise.reject(new Error('cannot close')));
    const never = fastify([], () => new Promise(() => {}));
    for (const authorizer of [failing, never]) {
      const options = {
        authorizer,
        limits: { grace: 20 },
        onError: (error: unknown) => void errors.push(String(error)),
      };
      const server = createServer(options, (_req, res) => void res.end('app'));
      await listening(server);
      await ends(server);
    }
    expect(errors).toEqual(['Error: cannot close']);
  });

  it('emits an error where they cannot be made ready, and does not listen', async () => {
    const server = createServer({ authorizer: {} });
    await expect(listening(server)).rejects.toThrow(/^the authorizer is an object/);
    expect(server.listening).toBe(false);
  });
});
