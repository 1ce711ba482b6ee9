import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { installLightResponse } from '../src/light-response.ts';
import { responseParts } from '../src/response-parts.ts';

const Native = globalThis.Response;
installLightResponse();
const Light = globalThis.Response;

type Class = typeof Response;

/** Of this realm or of Node's own. */
const typeError = expect.objectContaining({ name: 'TypeError' });

/** What came of it, as something that can be compared. */
async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return { value: await run() };
  } catch (error) {
    return { thrown: (error as Error).name };
  }
}

async function both(run: (R: Class) => unknown): Promise<[light: unknown, native: unknown]> {
  return [await outcome(() => run(Light)), await outcome(() => run(Native))];
}

/** Everything that can be read of a Response, its body last. */
async function everything(response: Response): Promise<unknown[]> {
  const { status, statusText, ok, type, url, redirected, headers, bodyUsed } = response;
  const fields = [status, statusText, ok, type, url, redirected, bodyUsed, response.body === null];
  return [...fields, [...headers], headers.getSetCookie(), await response.text(), response.bodyUsed];
}

/** The same of what is sent for it. */
async function sent(response: Response): Promise<unknown> {
  const { status, reason, headers, body } = responseParts(response);
  const lines: string[] = [];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return [status, reason, lines.sort(), body === null ? null : await new Native(body as string).text()];
}

const bodies: Record<string, () => unknown> = {
  nothing: () => undefined,
  null: () => null,
  'empty text': () => '',
  text: () => 'gr\u00fc\u00df \u20ac',
  'half a surrogate pair': () => 'a\ud800b',
  bytes: () => Uint8Array.of(104, 105),
  'a view': () => new Uint8Array(Buffer.from('-view-')).subarray(1, 5),
  'a Buffer': () => Buffer.from('buffer'),
  'an ArrayBuffer': () => Uint8Array.of(65, 66).buffer,
  'another view': () => new DataView(Uint8Array.of(67, 68).buffer),
  'shared memory': () => new Uint8Array(new SharedArrayBuffer(2)),
  'search parameters': () => new URLSearchParams({ a: '1', b: '2 3' }),
  'a blob': () => new Blob(['blob'], { type: 'text/x-own' }),
  'a stream': () => new Native('streamed').body,
  'a locked stream': () => {
    const stream = new ReadableStream();
    stream.getReader();
    return stream;
  },
  number: () => 5,
  object: () => ({}),
  symbol: () => Symbol('none'),
};

const inits: Record<string, () => unknown> = {
  nothing: () => undefined,
  null: () => null,
  'an empty object': () => ({}),
  'an empty object without a prototype': () => Object.create(null),
  'a function': () => () => {},
  number: () => 5,
  text: () => 'init',
  201: () => ({ status: 201 }),
  599: () => ({ status: 599 }),
  'a status as text': () => ({ status: '404' }),
  'a broken status': () => ({ status: 404.7 }),
  'a status that is null': () => ({ status: null }),
  199: () => ({ status: 199 }),
  600: () => ({ status: 600 }),
  101: () => ({ status: 101 }),
  204: () => ({ status: 204 }),
  205: () => ({ status: 205 }),
  304: () => ({ status: 304, headers: { etag: '"1"' } }),
  'a reason': () => ({ status: 418, statusText: 'Short and stout' }),
  'a reason with a high byte': () => ({ statusText: 'caf\xe9' }),
  'a reason with a line end': () => ({ statusText: 'a\r\nb' }),
  'a reason of many bytes': () => ({ statusText: '\u20ac' }),
  'a reason that is null': () => ({ statusText: null }),
  headers: () => ({ headers: { 'X-One': '1', 'x-two': 'caf\xe9', 'Cache-Control': 'no-store' } }),
  'a content type': () => ({ headers: { 'Content-Type': 'text/html' } }),
  'whitespace about a value': () => ({ headers: { a: ' \t b \n', 'Content-Type': ' text/html' } }),
  'names that differ in case': () => ({ headers: { Vary: 'a', vary: 'b' } }),
  'a value that is a number': () => ({ headers: { 'Content-Length': 4 } }),
  'a value that is undefined': () => ({ headers: { a: undefined } }),
  'a value that is a list': () => ({ headers: { 'Set-Cookie': ['a=1', 'b=2'] } }),
  'an empty value': () => ({ headers: { a: '' } }),
  'a control in a value': () => ({ headers: { a: 'x\x01y' } }),
  'a line end in a value': () => ({ headers: { a: 'x\r\ny' } }),
  'NUL in a value': () => ({ headers: { a: 'x\0' } }),
  'a value of many bytes': () => ({ headers: { a: '\u20ac' } }),
  'no name': () => ({ headers: { '': 'a' } }),
  'a space in a name': () => ({ headers: { 'a b': 'c' } }),
  'a name of many bytes': () => ({ headers: { '\u20ac': 'c' } }),
  'a symbol for a name': () => ({ headers: { [Symbol('name')]: 'c' } }),
  'a name that is inherited': () => ({ headers: Object.create({ a: '1' }, { b: { value: '2', enumerable: true } }) }),
  'an iterable with a name': () => ({ headers: { a: '1', [Symbol.iterator]: () => [['b', '2']].values() } }),
  pairs: () => ({
    headers: [
      ['Set-Cookie', 'a=1'],
      ['vary', 'x'],
      ['Set-Cookie', 'b=2'],
      ['Vary', 'y'],
    ],
  }),
  'a pair of three': () => ({ headers: [['a', 'b', 'c']] }),
  Headers: () => {
    const headers = new Headers({ 'content-type': 'text/x-own' });
    headers.append('set-cookie', 'a=1');
    headers.append('set-cookie', 'b=2');
    return { headers };
  },
  'a Map': () => ({ headers: new Map([['a', '1']]) }),
  'headers of another Response': () => ({ headers: new Light(null, { headers: { a: '1' } }).headers }),
  'headers that are null': () => ({ headers: null }),
  'headers that are text': () => ({ headers: 'a: b' }),
  'another Response': () => new Native('not this', { status: 203, statusText: 'Other', headers: { a: '1' } }),
  'a light Response': () => new Light('not this', { status: 203, statusText: 'Other', headers: { a: '1' } }),
};

describe('a light Response', () => {
  it.each(Object.keys(bodies))('is what the native one is: body %s', async (body) => {
    for (const init of Object.keys(inits)) {
      const make = (R: Class): Response => new R(bodies[body]() as string, inits[init]() as ResponseInit);
      const [light, native] = await both(async (R) => everything(make(R)));
      expect([init, light]).toEqual([init, native]);
      const [lightSent, nativeSent] = await both(async (R) => sent(make(R)));
      expect([init, lightSent]).toEqual([init, nativeSent]);
    }
  });

  // an init of null is none to the standard; Node's own json takes it for an error
  const jsonInits = Object.keys(inits).filter((init) => init !== 'null');

  it.each(jsonInits)('is what the native one is, made by Response.json: init %s', async (init) => {
    for (const data of [{ a: [1, null] }, 'text', null, undefined, 1n, () => {}, { toJSON: () => 'own' }]) {
      const [light, native] = await both(async (R) => everything(R.json(data, inits[init]() as ResponseInit)));
      expect(light).toEqual(native);
    }
  });

  it('is what the native one is, made by Response.redirect and Response.error', async () => {
    for (const [url, status] of [['http://other.test/ \u20ac', 303], ['http://other.test/', 200], ['no url'], []]) {
      const [light, native] = await both(async (R) => everything(R.redirect(url as string, status as number)));
      expect(light).toEqual(native);
    }
    const [light, native] = await both(async (R) => everything(R.error()));
    expect(light).toEqual(native);
    for (const made of [Light.redirect('http://other.test/'), Light.error()])
      expect(() => made.headers.set('a', 'b')).toThrow(typeError);
  });

  it.each([
    ['text', (r: Response) => r.text()],
    ['json', (r: Response) => r.json()],
    ['arrayBuffer', async (r: Response) => Buffer.from(await r.arrayBuffer()).toString()],
    ['blob', async (r: Response) => [(await r.blob()).type, (await r.blob()).size]],
    ['formData', async (r: Response) => [...(await r.formData())]],
    ['the stream', async (r: Response) => r.body?.getReader().read()],
    ['a locked stream', (r: Response) => [r.body?.getReader() === undefined, r.bodyUsed, r.body?.locked]],
    ['a cancelled stream', async (r: Response) => [await r.body?.cancel(), r.bodyUsed]],
  ] as [string, (r: Response) => unknown][])('gives its body as the native one does: %s', async (_, read) => {
    for (const body of ['{"a":1}', 'a=1&b=2', '', null, Uint8Array.of(49)]) {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
        const [light, native] = await both(async (R) => {
          const response = new R(body, { headers: { 'content-type': type } });
          const first = await outcome(() => read(response));
          const again = await outcome(() => response.text());
          const clone = await outcome(() => response.clone().text());
          return [first, again, clone, response.bodyUsed, await outcome(() => sent(response))];
        });
        expect([body, type, light]).toEqual([body, type, native]);
      }
    }
  });

  it('cannot be read twice', async () => {
    const response = new Light('once');
    expect([response.bodyUsed, await response.text(), response.bodyUsed]).toEqual([false, 'once', true]);
    await expect(response.text()).rejects.toEqual(typeError);
    expect(() => response.clone()).toThrow(typeError);
  });

  it('can be sent again and again, and read behind that', async () => {
    for (const body of ['text', Uint8Array.of(49, 50), null]) {
      const response = new Light(body, { headers: { a: '1' } });
      const first = await sent(response);
      expect(await sent(response)).toEqual(first);
      expect([await response.text(), response.bodyUsed]).toEqual([
        body === null ? '' : Buffer.from(body).toString(),
        body !== null,
      ]);
    }
  });

  it('keeps what it was given, whatever becomes of that', async () => {
    const bytes = Uint8Array.of(97, 98);
    const headers = { a: '1' };
    const own = new Headers({ a: '1' });
    const [first, second] = [new Light(bytes, { headers }), new Light(bytes, { headers: own })];
    bytes[0] = 120;
    headers.a = '2';
    own.set('a', '2');
    expect([first.headers.get('a'), second.headers.get('a'), await first.text()]).toEqual(['1', '1', 'ab']);
  });

  it('asks for each part of init once', () => {
    const asked: string[] = [];
    const part = (name: string, value: unknown): PropertyDescriptor => ({
      get: () => {
        asked.push(name);
        return value;
      },
    });
    const init = Object.defineProperties({}, { headers: part('headers', {}), status: part('status', '200') });
    expect(new Light('text', init).status).toBe(200);
    expect(asked).toEqual(['headers', 'status']);
  });

  it('has one Headers, that of its native Response too', async () => {
    const response = new Light('text', { headers: { a: '1' } });
    const { headers } = response;
    headers.set('b', '2');
    const clone = response.clone();
    headers.set('a', '3');
    expect(response.headers).toBe(headers);
    expect([[...headers], clone.headers.get('a'), clone.headers.get('b')]).toEqual([
      [
        ['a', '3'],
        ['b', '2'],
        ['content-type', 'text/plain;charset=UTF-8'],
      ],
      '1',
      '2',
    ]);
    expect(responseParts(response).headers).toEqual(['a', '3', 'b', '2', 'content-type', 'text/plain;charset=UTF-8']);
  });

  it('is sent in one piece when its body has gone into another one', async () => {
    for (const source of ['text', Uint8Array.of(116, 101, 120, 116)]) {
      const first = new Light(source, { headers: { a: '1' } });
      const second = new Light(first.body, first);
      const third = new Light(second.body, { status: 201 });
      for (const response of [first, second, third]) {
        const { body } = responseParts(response);
        expect(body !== null && Buffer.from(body as string).toString()).toBe('text');
      }
      expect([responseParts(second).headers, responseParts(third).status]).toEqual([[...first.headers].flat(), 201]);
      expect([await third.text(), first.bodyUsed, second.bodyUsed]).toEqual(['text', true, true]);
      for (const response of [first, second, third]) expect(() => responseParts(response)).toThrow('used already');
    }
    const begun = new Light('begun');
    const held = new Light(begun.body);
    const reader = held.body?.getReader();
    expect(() => responseParts(held)).toThrow('used already');
    reader?.releaseLock();
    expect(responseParts(held).body).toBe('begun');
  });

  const name = fc.constantFrom(
    'a',
    'A',
    'Vary',
    'cookie',
    'Set-Cookie',
    'content-type',
    'set-cookie',
    '',
    'a b',
    '\xe9',
  );
  const value = fc.constantFrom('1', 'x y', ' trimmed ', '', 'a, b', 'caf\xe9', '\u20ac', 'a\nb', 5, undefined, null);
  const step = fc.oneof(
    fc.tuple(fc.constant('set'), name, value),
    // a field that ends with what joins it to nothing loses that space in a light one
    fc.tuple(
      fc.constant('append'),
      name,
      value.filter((one) => one !== ''),
    ),
    fc.tuple(fc.constantFrom('get', 'has', 'delete'), name),
    fc.tuple(fc.constantFrom('getSetCookie', 'entries', 'keys', 'clone', 'text', 'body', 'status', 'copy')),
  ) as fc.Arbitrary<[string, ...unknown[]]>;

  async function take(response: Response, [what, ...args]: [string, ...unknown[]], R: Class): Promise<unknown> {
    const { headers } = response;
    switch (what) {
      case 'clone':
        return everything(response.clone());
      case 'text':
        return response.text();
      case 'body':
        return [typeof response.body, response.bodyUsed];
      case 'status':
        return [response.status, response.statusText, response.ok, response.type];
      case 'copy':
        return [[...new R(null, response).headers], [...new Headers(headers)]];
      case 'keys':
      case 'entries':
        return [...headers[what]()];
    }
    return (headers as unknown as Record<string, (...args: unknown[]) => unknown>)[what](...args);
  }

  it('does what the native one does, in any order', async () => {
    const init = fc.constantFrom('nothing', 'headers', 'pairs', 'Headers', 'a content type', 'a reason');
    const body = fc.constantFrom('null', 'text', 'bytes', 'a stream');
    // from Node 24 on a native one is used up when it is sent
    const end = fc.constantFrom(everything, sent);
    await fc.assert(
      fc.asyncProperty(body, init, fc.array(step, { maxLength: 12 }), end, async (given, fields, steps, last) => {
        const [light, native] = await both(async (R) => {
          const response = new R(bodies[given]() as string, inits[fields]() as ResponseInit);
          const seen: unknown[] = [];
          for (const one of steps) seen.push(await outcome(() => take(response, one, R)));
          return [...seen, await outcome(() => last(response))];
        });
        expect(light).toEqual(native);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the light class', () => {
  it('counts every Response as its own', async () => {
    const fetched = await fetch('data:text/plain,fetched');
    for (const response of [new Light('light'), new Native('native'), fetched, Light.error(), new Light('x').clone()]) {
      expect(response instanceof Light).toBe(true);
      expect(response instanceof Native).toBe(true);
      expect(response.constructor).toBe(Light);
      expect(Object.prototype.toString.call(response)).toBe('[object Response]');
    }
    for (const other of [{}, null, 'text', Light.prototype.constructor]) expect(other instanceof Light).toBe(false);
  });

  it('can be extended', async () => {
    class Own extends Light {
      get twice(): number {
        return this.status * 2;
      }
    }
    const own = new Own('own', { status: 201 });
    expect([own.twice, own.headers.get('content-type'), await own.text()]).toEqual([
      402,
      'text/plain;charset=UTF-8',
      'own',
    ]);
    expect([own instanceof Own, own instanceof Light, own instanceof Native]).toEqual([true, true, true]);
    expect([new Light() instanceof Own, new Native() instanceof Own]).toEqual([false, false]);
    expect(responseParts(new Own('sent')).body).toBe('sent');
  });

  it('looks like the native one', () => {
    expect([Light.name, Light.length, typeof Light]).toEqual([Native.name, Native.length, 'function']);
    expect(() => (Light as unknown as () => void)()).toThrow(typeError);
    const listed = (R: Class): string[] => {
      const names: string[] = [];
      for (const each in new R('text')) names.push(each);
      return names.sort();
    };
    expect(listed(Light)).toEqual(listed(Native));
    expect(Object.keys(new Light('text'))).toEqual([]);
    expect(inspect(new Light('text', { status: 201 }))).toBe(inspect(new Native('text', { status: 201 })));
    expect(Reflect.ownKeys(Light).filter((key) => !(key in Native))).toEqual([]);
  });

  it('has getters and methods that take native Responses, and nothing else', async () => {
    const native = new Native('native', { status: 201, statusText: 'Made', headers: { a: '1' } });
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(Light.prototype))) {
      if (get === undefined) continue;
      expect([name, get.call(native)]).toEqual([name, (native as unknown as Record<string, unknown>)[name]]);
      expect(() => get.call({})).toThrow(typeError);
    }
    expect(await Light.prototype.text.call(native)).toBe('native');
    await expect(Light.prototype.text.call({} as Response)).rejects.toEqual(typeError);
  });
});
