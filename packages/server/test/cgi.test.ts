import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { type Exchange, type Handler, limitsWith } from '@postern/core';
import { until } from '@postern/testkit';
import { type CgiOptions, CgiRequest, isCgi, plainCgiReply } from '../src/cgi.ts';
import type { LogEntry } from '../src/log.ts';
import { TICK } from '../src/watchdog.ts';
import { FakeClock } from './support/fake-clock.ts';
import { hello, silent, turns } from './support/serving.ts';
import { expectAbort, listenTo } from './support/told.ts';

const get = {
  GATEWAY_INTERFACE: 'CGI/1.1',
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/cgi-bin/app.cgi/x',
  PATH: '/usr/bin',
};
const post = { ...get, REQUEST_METHOD: 'POST' };

interface Cgi {
  readonly request: CgiRequest;
  readonly stdin: PassThrough;
  readonly clock: FakeClock;
  readonly errors: unknown[];
  readonly logs: LogEntry[];
  exchange(): Exchange;
  output(): string;
}

/** A CGI process that is none: its variables and streams are the test's. */
function cgi(variables: Record<string, string>, handler: Handler, options: Partial<CgiOptions> = {}): Cgi {
  const stdin = new PassThrough();
  const stdout = new PassThrough({ highWaterMark: 10_000_000 });
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const logs: LogEntry[] = [];
  let exchange: Exchange | undefined;
  const request = new CgiRequest(
    (given) => {
      exchange = given;
      handler(given);
    },
    {
      environment: Object.entries(variables).flat(),
      stdin: () => stdin,
      stdout,
      clock,
      onError: (error) => errors.push(error),
      log: (entry) => logs.push(entry),
      ...options,
    },
  );
  let text = '';
  stdout.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  return {
    request,
    stdin,
    clock,
    errors,
    logs,
    exchange: () => {
      if (exchange === undefined) throw new Error('the app was not asked');
      return exchange;
    },
    output: () => text,
  };
}

/** Waits for the end, and lets time pass meanwhile. */
function ended({ request, clock }: Cgi): Promise<boolean | undefined> {
  let how: boolean | undefined;
  void request.done.then((complete) => {
    how = complete;
  });
  return until(
    () => {
      clock.advance(TICK);
      return how;
    },
    (known) => known !== undefined,
  );
}

async function echo(exchange: Exchange): Promise<void> {
  try {
    exchange.respond(200, 'OK', [], await exchange.input.bytes());
  } catch (error) {
    exchange.fail(error);
  }
}

describe('a CGI request', () => {
  it('is answered on stdout, and then done', async () => {
    const one = cgi(get, hello);
    expect(await one.request.done).toBe(true);
    expect(one.output()).toBe('Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nhello');
    expect(one.exchange().protocol).toBe('cgi');
    expect(one.exchange().environ['gateway.run_once']).toBe(true);
  });

  it('streams', async () => {
    const one = cgi(get, silent);
    const writer = one.exchange().start(200, 'OK', ['X-A', '\xe9']);
    await turns();
    expect(one.output()).toBe('Status: 200 OK\r\nX-A: \xe9\r\n\r\n');
    writer.write('one');
    await turns();
    expect(one.output()).toMatch(/\r\n\r\none$/);
    writer.write('two');
    writer.end();
    expect(await one.request.done).toBe(true);
    expect(one.output()).toMatch(/\r\n\r\nonetwo$/);
  });

  it('to HEAD is answered without a body', async () => {
    const one = cgi({ ...get, REQUEST_METHOD: 'HEAD' }, hello);
    await one.request.done;
    expect(one.output()).toBe('Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n');
  });

  it('waits for a web server that does not read, and is done when all has been taken', async () => {
    const taken: Buffer[] = [];
    const waiting: (() => void)[] = [];
    const stdout = new Writable({
      write(chunk, _encoding, callback) {
        waiting.push(() => {
          taken.push(chunk);
          callback();
        });
      },
    });
    let written = 0;
    const one = cgi(
      get,
      async (exchange) => {
        const writer = exchange.start(200, 'OK', []);
        for (let i = 0; i < 20; i++) {
          written++;
          if (!writer.write(Buffer.alloc(50_000))) await new Promise<void>((resolve) => writer.onDrain(resolve));
        }
        writer.end();
      },
      { stdout },
    );
    await turns(10);
    expect(written).toBe(6);
    let done = false;
    const ended = one.request.done.then(() => {
      done = true;
    });
    await until(
      () => {
        waiting.shift()?.();
        return written;
      },
      (count) => count === 20,
    );
    expect(done).toBe(false);
    while (waiting.length > 0) {
      waiting.shift()?.();
      await turns(1);
    }
    await ended;
    expect(Buffer.concat(taken).length).toBe(20 * 50_000 + 'Status: 200 OK\r\n\r\n'.length);
  });
});

describe('the body of a CGI request', () => {
  it('is CONTENT_LENGTH bytes of stdin, which need not end there', async () => {
    const one = cgi({ ...post, CONTENT_LENGTH: '5' }, echo);
    one.stdin.write('he');
    await turns();
    one.stdin.write('llo and more');
    expect(await one.request.done).toBe(true);
    expect(one.output()).toMatch(/\r\n\r\nhello$/);
  });

  it.each([[post], [{ ...post, CONTENT_LENGTH: '' }], [{ ...post, CONTENT_LENGTH: '0' }], [get]])(
    'is none in %j: stdin is not opened',
    async (variables) => {
      const one = cgi(variables, echo, {
        stdin: () => {
          throw new Error('stdin was opened');
        },
      });
      expect(await one.request.done).toBe(true);
      expect(one.output()).toMatch(/\r\n\r\n$/);
    },
  );

  it('that came in chunks is all of stdin', async () => {
    const one = cgi({ ...post, HTTP_TRANSFER_ENCODING: 'chunked' }, echo);
    one.stdin.end('all of it');
    expect(await one.request.done).toBe(true);
    expect(one.output()).toMatch(/\r\n\r\nall of it$/);
    expect(one.exchange().environ).not.toHaveProperty('HTTP_TRANSFER_ENCODING');
  });

  it('that ends early is told to the app, and answered 400', async () => {
    const one = cgi({ ...post, CONTENT_LENGTH: '10' }, silent);
    const reading = one.exchange().input.bytes();
    one.stdin.end('half');
    await expect(reading).rejects.toMatchObject({ code: 'ERR_BODY_SHORT' });
    await one.request.done;
    expect(one.output()).toMatch(/^Status: 400 Bad Request\r\n/);
  });

  it('waits in the web server while nobody asks for more', async () => {
    const one = cgi({ ...post, CONTENT_LENGTH: '1000000' }, silent);
    const reader = one.exchange().input[Symbol.asyncIterator]();
    const first = reader.next();
    one.stdin.write(Buffer.alloc(10));
    await first;
    while (one.stdin.write(Buffer.alloc(10_000)));
    await turns();
    expect(one.stdin.readableLength + one.stdin.writableLength).toBeGreaterThan(10_000);
    one.exchange().respond(200, 'OK', [], null);
    expect(await ended(one)).toBe(true);
  });

  it('that the app does not want is read all the same, or the web server might lose the reply', async () => {
    const one = cgi({ ...post, CONTENT_LENGTH: '300000' }, hello);
    let done = false;
    void one.request.done.then(() => {
      done = true;
    });
    one.stdin.write(Buffer.alloc(200_000));
    await turns(10);
    expect([done, one.output()]).toEqual([false, expect.stringMatching(/hello$/)]);
    one.stdin.write(Buffer.alloc(100_001));
    expect(await one.request.done).toBe(true);
  });

  it('is waited for as long as something comes within lingerTimeout', async () => {
    const one = cgi({ ...post, CONTENT_LENGTH: '1000' }, hello, { limits: limitsWith({ lingerTimeout: 2000 }) });
    let done = false;
    void one.request.done.then(() => {
      done = true;
    });
    for (let i = 0; i < 5; i++) {
      one.stdin.write('x');
      await turns();
      one.clock.advance(1999);
    }
    expect(done).toBe(false);
    one.clock.advance(4000);
    expect(await one.request.done).toBe(true);
    expect(one.clock.pending).toBe(0);
  });

  it('that is larger than maxBody is refused with 413', async () => {
    const limits = limitsWith({ maxBody: 4 });
    const one = cgi({ ...post, CONTENT_LENGTH: '5' }, echo, { limits });
    await ended(one);
    expect(one.output()).toMatch(/^Status: 413 /);
    const chunked = cgi({ ...post, HTTP_TRANSFER_ENCODING: 'chunked' }, echo, { limits });
    chunked.stdin.end('hello');
    await chunked.request.done;
    expect(chunked.output()).toMatch(/^Status: 413 /);
  });
});

describe('the paths of a CGI request', () => {
  it.each<[Record<string, string>, string, string]>([
    [{ SCRIPT_NAME: '/app.cgi', PATH_INFO: '/x', REQUEST_URI: '/app.cgi/x' }, '/app.cgi', '/x'],
    [{ SCRIPT_NAME: '/app.cgi', REQUEST_URI: '/app.cgi' }, '/app.cgi', ''],
    [{ SCRIPT_NAME: '/app.cgi', PATH_INFO: '', REQUEST_URI: '/app.cgi?q' }, '/app.cgi', ''],
    [{ SCRIPT_NAME: '/app.cgi', PATH_INFO: '/pretty', REQUEST_URI: '/pretty' }, '/app.cgi', '/pretty'],
    [{ SCRIPT_NAME: '/index.cgi', REQUEST_URI: '/' }, '/index.cgi', ''],
  ])('%j are what the web server says', async (variables, script, path) => {
    const one = cgi({ GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'GET', ...variables }, hello);
    await one.request.done;
    expect(one.exchange().environ).toMatchObject({ SCRIPT_NAME: script, PATH_INFO: path });
  });

  it('are divided at the mount where one is given', async () => {
    const variables = { ...get, SCRIPT_NAME: '/app.cgi', PATH_INFO: '/x', REQUEST_URI: '/a/b' };
    const one = cgi(variables, hello, { mount: '/a' });
    await one.request.done;
    expect(one.exchange().environ).toMatchObject({ SCRIPT_NAME: '/a', PATH_INFO: '/b' });
  });
});

describe('a CGI request that fails', () => {
  it('before its reply is answered with a bare 500, and is not done well', async () => {
    const one = cgi(get, () => {
      throw new Error('secret');
    });
    expect(await one.request.done).toBe(false);
    expect(one.output()).toBe(plainCgiReply(500).replace('\r\n\r\n', '\r\nContent-Length: 26\r\n\r\n'));
    expect(one.errors).toMatchObject([{ message: 'secret' }]);
  });

  it('within its reply is not done well', async () => {
    const one = cgi(get, (exchange) => {
      exchange.start(200, 'OK', []).write('half');
      setImmediate(() => exchange.fail(new Error('secret')));
    });
    expect(await one.request.done).toBe(false);
    expect(one.output()).toMatch(/\r\n\r\nhalf$/);
  });

  it('by what nobody caught is answered 500', async () => {
    const one = cgi(get, silent);
    one.request.fail(new Error('secret'));
    expect(await one.request.done).toBe(false);
    expect(one.output()).toMatch(/^Status: 500 /);
  });

  it('because the app awaits what never happens is answered 500', async () => {
    const one = cgi(get, silent);
    process.emit('beforeExit', 0);
    expect(await one.request.done).toBe(false);
    expect(one.errors).toMatchObject([{ code: 'ERR_APP_REPLY' }]);
    expect(process.listenerCount('beforeExit')).toBe(0);
  });

  it.each<[string, Record<string, string>, string]>([
    ['no method', { ...get, REQUEST_METHOD: '' }, 'ERR_ENV_METHOD'],
    ['a length that is none', { ...post, CONTENT_LENGTH: '5x' }, 'ERR_ENV_LENGTH'],
    ['a header with a line end', { ...get, HTTP_X: 'a\nb' }, 'ERR_ENV_VALUE'],
  ])('because it has %s is answered 400', async (_, variables, code) => {
    const one = cgi(variables, hello);
    expect(await one.request.done).toBe(true);
    expect(one.output()).toBe('Status: 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n400 Bad Request\n');
    expect(one.logs).toMatchObject([{ level: 'warn', code, protocol: 'cgi' }]);
  });
});

describe('the end of a CGI request', () => {
  it('by a web server that does not read any more is no failure', async () => {
    const stdout = new Writable({
      write(_chunk, _encoding, callback) {
        callback(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const one = cgi(get, silent, { stdout });
    const told = listenTo(one.exchange());
    one.exchange().start(200, 'OK', []).write('x');
    expect(await one.request.done).toBe(true);
    expectAbort(told);
    expect([one.errors, one.logs]).toEqual([[], []]);
  });

  it('by a web server that gives up is told to the app', async () => {
    const one = cgi(get, silent);
    const told = listenTo(one.exchange());
    one.request.giveUp();
    expectAbort(told);
    expect(await one.request.done).toBe(false);
    expect(one.output()).toBe('');
  });

  it.each<[string, Record<string, string>, 'appTimeout' | 'bodyIdleTimeout', number]>([
    ['appTimeout', get, 'appTimeout', 504],
    ['bodyIdleTimeout', { ...post, CONTENT_LENGTH: '5' }, 'bodyIdleTimeout', 408],
  ])('by %s is answered', async (_, variables, limit, status) => {
    const one = cgi(variables, silent, { limits: limitsWith({ [limit]: 5000 }) });
    if (status === 408)
      one
        .exchange()
        .input.bytes()
        .catch(() => {});
    one.clock.advance(5000 - 1);
    await turns();
    expect(one.output()).toBe('');
    one.clock.advance(2 * TICK);
    expect(await ended(one)).toBe(false);
    expect(one.output()).toMatch(new RegExp(`^Status: ${status} `));
    expect(one.clock.pending).toBe(0);
  });
});

it('a process is a CGI program by its variables', () => {
  expect(isCgi(get)).toBe(true);
  expect(isCgi({ REQUEST_METHOD: 'GET' })).toBe(false);
  expect(isCgi({ GATEWAY_INTERFACE: 'CGI/1.1' })).toBe(false);
});

it('the streams of the process are left alone until they are used', async () => {
  const one = cgi(get, hello);
  await one.request.done;
  expect(one.stdin.listenerCount('data')).toBe(0);
  one.stdin.end();
  one.stdin.resume();
  await once(one.stdin, 'end');
});
