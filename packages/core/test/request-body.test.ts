import { describe, expect, it } from '@jest/globals';
import { AbortError } from '../src/errors.ts';
import { type BodySink, RequestBody } from '../src/request-body.ts';

class Source {
  wanted = 0;
  wantBody(): void {
    this.wanted++;
  }
}

/** Takes so many chunks before it says that it has enough. */
class Taker implements BodySink {
  readonly got: string[] = [];
  room: number;
  constructor(room = Number.POSITIVE_INFINITY) {
    this.room = room;
  }
  data(chunk: Uint8Array): boolean {
    this.got.push(Buffer.from(chunk).toString('latin1'));
    return --this.room > 0;
  }
  end(): void {
    this.got.push('END');
  }
  error(error: Error): void {
    this.got.push(error.message);
  }
}

function open(length = -1): { body: RequestBody; source: Source } {
  const source = new Source();
  return { body: new RequestBody(source, length, false), source };
}

function whole(text: string): RequestBody {
  const { body } = open(text.length);
  if (text !== '') body.push(Buffer.from(text));
  body.finish();
  return body;
}

/** The chunks of a body that is whole, as they are handed out. */
function chunksOf(body: RequestBody): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  body.attach({
    data(chunk) {
      chunks.push(chunk);
      return true;
    },
    end() {},
    error() {},
  });
  body.pull();
  return chunks;
}

const gone = new AbortError('ERR_ABORTED', 'gone');

describe('a taker of a body', () => {
  it('gets nothing before it pulls', () => {
    const body = whole('abc');
    const taker = new Taker();
    body.attach(taker);
    expect(taker.got).toEqual([]);
    body.pull();
    expect(taker.got).toEqual(['abc', 'END']);
  });

  it('gets no more than it has room for, and the rest when it pulls again', () => {
    const { body } = open();
    for (const text of ['a', 'b', 'c']) body.push(Buffer.from(text));
    body.finish();
    const taker = new Taker(2);
    body.attach(taker);
    body.pull();
    expect(taker.got).toEqual(['a', 'b']);
    body.pull();
    expect(taker.got).toEqual(['a', 'b', 'c']);
    body.pull();
    expect(taker.got).toEqual(['a', 'b', 'c', 'END']);
  });

  it('that waits gets bytes as they come, and each time the source is asked for more', () => {
    const { body, source } = open();
    const taker = new Taker();
    body.attach(taker);
    body.pull();
    expect(source.wanted).toBe(1);
    body.push(Buffer.from('a'));
    expect(taker.got).toEqual(['a']);
    expect(source.wanted).toBe(2);
    body.finish();
    expect(taker.got).toEqual(['a', 'END']);
  });

  it('that is full stops the source from being asked', () => {
    const { body, source } = open();
    const taker = new Taker(1);
    body.attach(taker);
    body.pull();
    body.push(Buffer.from('a'));
    body.push(Buffer.from('b'));
    expect(taker.got).toEqual(['a']);
    expect(source.wanted).toBe(1);
    body.pull();
    expect(taker.got).toEqual(['a', 'b']);
  });

  it('may pull while it takes: nothing is lost and nothing stalls', () => {
    const { body, source } = open();
    const got: string[] = [];
    body.attach({
      data(chunk) {
        got.push(Buffer.from(chunk).toString());
        body.pull();
        return false;
      },
      end: () => void got.push('END'),
      error: () => {},
    });
    body.push(Buffer.from('a'));
    body.push(Buffer.from('b'));
    body.pull();
    body.push(Buffer.from('c'));
    expect(source.wanted).toBeGreaterThan(0);
    body.finish();
    expect(got).toEqual(['a', 'b', 'c', 'END']);
  });

  it('is the only one', () => {
    const body = whole('a');
    body.attach(new Taker());
    expect(() => body.attach(new Taker())).toThrow(expect.objectContaining({ code: 'ERR_BODY_USED' }));
    expect(() => body[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'ERR_BODY_USED' }));
  });

  it('hears of the end once, and nothing behind it', () => {
    const body = whole('');
    const taker = new Taker();
    body.attach(taker);
    body.pull();
    body.pull();
    body.push(Buffer.from('late'));
    body.fail(gone);
    expect(taker.got).toEqual(['END']);
  });
});

describe('what waits for a taker', () => {
  it('is held as it came while it is large', () => {
    const { body } = open();
    const chunk = Buffer.alloc(4096, 'x');
    body.push(chunk);
    body.finish();
    const [got] = chunksOf(body);
    expect(got).toBe(chunk);
  });

  it('does not keep a large read alive for a few bytes of it', () => {
    const { body } = open();
    const read = new Uint8Array(65_536).fill(120);
    body.push(read.subarray(10, 13));
    body.finish();
    const [got] = chunksOf(body);
    expect(Buffer.from(got).toString()).toBe('xxx');
    expect(got.buffer.byteLength).toBe(3);
  });

  it('is put together when it comes in very many pieces, and no byte is lost', () => {
    const { body } = open();
    for (let i = 0; i < 5000; i++) body.push(Uint8Array.of(i & 255));
    body.finish();
    const chunks = chunksOf(body);
    expect(Buffer.concat(chunks)).toEqual(Buffer.from(Array.from({ length: 5000 }, (_, i) => i & 255)));
    expect(chunks.length).toBeLessThanOrEqual(1025);
  });
});

describe('a body that breaks off', () => {
  it('gives what had come before its error', () => {
    const { body } = open();
    body.push(Buffer.from('a'));
    body.fail(gone);
    const taker = new Taker();
    body.attach(taker);
    body.pull();
    expect(taker.got).toEqual(['a', 'gone']);
  });

  it('tells a taker that waits at once', () => {
    const { body } = open();
    const taker = new Taker();
    body.attach(taker);
    body.pull();
    body.fail(gone);
    body.fail(new Error('again'));
    expect(taker.got).toEqual(['gone']);
  });

  it('is whole when all of it had come', () => {
    const body = whole('a');
    body.fail(gone);
    const taker = new Taker();
    body.attach(taker);
    body.pull();
    expect(taker.got).toEqual(['a', 'END']);
  });
});

describe('a body that nobody reads', () => {
  it('asks for all of it and throws it away', () => {
    const { body, source } = open();
    body.push(Buffer.from('a'));
    body.discard();
    expect(source.wanted).toBe(1);
    body.push(Buffer.from('b'));
    expect(source.wanted).toBe(2);
    body.finish();
    expect(body.complete).toBe(true);
    expect(() => body.attach(new Taker())).toThrow();
  });
});

describe('starved', () => {
  it('is a body whose taker waits for bytes that have not come', () => {
    const { body } = open();
    expect(body.starved).toBe(false);
    body.attach(new Taker(2));
    expect(body.starved).toBe(false);
    body.pull();
    expect(body.starved).toBe(true);
    body.push(Buffer.from('a'));
    expect(body.starved).toBe(true);
    body.push(Buffer.from('b'));
    expect(body.starved).toBe(false);
    body.pull();
    body.finish();
    expect(body.starved).toBe(false);
  });
});

describe('iterating a body', () => {
  it('hands calls that overlap their chunks in order, and ends those that are too many', async () => {
    const { body } = open();
    const iterator = body[Symbol.asyncIterator]();
    const steps = [iterator.next(), iterator.next(), iterator.next()];
    body.push(Buffer.from('a'));
    body.push(Buffer.from('b'));
    body.finish();
    const got = (await Promise.all(steps)).map(({ value }) => value && Buffer.from(value).toString());
    expect(got).toEqual(['a', 'b', undefined]);
  });

  it('ends a call that waits when the iterator is given up', async () => {
    const { body } = open();
    const iterator = body[Symbol.asyncIterator]();
    const step = iterator.next();
    await iterator.return?.();
    expect(await step).toEqual({ done: true, value: undefined });
  });

  it('gives its chunks and ends', async () => {
    const { body, source } = open();
    const got: string[] = [];
    const reading = (async () => {
      for await (const chunk of body) got.push(Buffer.from(chunk).toString());
    })();
    body.push(Buffer.from('a'));
    body.push(Buffer.from('b'));
    body.finish();
    await reading;
    expect(got).toEqual(['a', 'b']);
    expect(source.wanted).toBeGreaterThan(0);
  });

  it('asks for one chunk at a time', async () => {
    const { body, source } = open();
    const iterator = body[Symbol.asyncIterator]();
    expect(source.wanted).toBe(0);
    const first = iterator.next();
    expect(source.wanted).toBe(1);
    body.push(Buffer.from('a'));
    body.push(Buffer.from('b'));
    expect(await first).toEqual({ done: false, value: Buffer.from('a') });
    expect(source.wanted).toBe(1);
    expect(await iterator.next()).toEqual({ done: false, value: Buffer.from('b') });
  });

  it('of an empty body ends at once', async () => {
    const iterator = whole('')[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('gives what had come, then throws', async () => {
    const { body } = open();
    const iterator = body[Symbol.asyncIterator]();
    body.push(Buffer.from('a'));
    body.fail(gone);
    expect(await iterator.next()).toEqual({ done: false, value: Buffer.from('a') });
    await expect(iterator.next()).rejects.toBe(gone);
  });

  it('may be left early: what comes then is not asked for', async () => {
    const { body, source } = open();
    body.push(Buffer.from('a'));
    for await (const chunk of body) {
      expect(String(Buffer.from(chunk))).toBe('a');
      break;
    }
    const { wanted } = source;
    body.push(Buffer.from('b'));
    body.fail(gone);
    expect(source.wanted).toBe(wanted);
  });
});

describe('bytes and text', () => {
  it('give all of it', async () => {
    const { body } = open();
    body.push(Buffer.from('\xe4', 'latin1'));
    body.push(Buffer.from([0xc3]));
    body.push(Buffer.from([0xa4]));
    body.finish();
    expect(Buffer.from(await body.bytes()).toString('hex')).toBe('e4c3a4');
    expect(await whole('ä€').text()).toBe('ä€');
    expect(await whole('').text()).toBe('');
  });

  it.each([
    ['stated', 4],
    ['not stated', -1],
  ])('stop at a limit, the length being %s', async (_, length) => {
    const make = (): RequestBody => {
      const { body } = open(length);
      body.push(Buffer.from('ab'));
      body.push(Buffer.from('cd'));
      body.finish();
      return body;
    };
    expect(Buffer.from(await make().bytes(4)).toString()).toBe('abcd');
    expect(Buffer.from(await make().bytes(5)).toString()).toBe('abcd');
    await expect(make().bytes(3)).rejects.toMatchObject({ code: 'ERR_BODY_LIMIT', statusHint: 413 });
    await expect(make().text(3)).rejects.toMatchObject({ code: 'ERR_BODY_LIMIT', statusHint: 413 });
  });

  it('have a limit of 1 MiB where none is given', async () => {
    const { body } = open();
    body.push(Buffer.alloc(1_048_577));
    body.finish();
    await expect(body.bytes()).rejects.toMatchObject({ code: 'ERR_BODY_LIMIT' });
  });

  it('refuse a stated length above the limit before they wait for a byte', async () => {
    const { body, source } = open(4);
    await expect(body.bytes(3)).rejects.toMatchObject({ code: 'ERR_BODY_LIMIT' });
    expect(source.wanted).toBe(0);
    expect(body.used).toBe(false);
  });

  it('reject with why the body broke off', async () => {
    const { body } = open();
    const reading = body.bytes();
    body.push(Buffer.from('a'));
    body.fail(gone);
    await expect(reading).rejects.toBe(gone);
  });
});

describe('a body', () => {
  it('is unread until somebody reads it, and again when who did has left', async () => {
    const { body } = open();
    expect(body.unread).toBe(true);
    body.push(Buffer.from('a'));
    for await (const chunk of body) {
      expect([String(chunk), body.unread]).toEqual(['a', false]);
      break;
    }
    expect(body.unread).toBe(true);
    const other = open().body;
    other.attach(Object.assign(new Taker(), { gone: false }));
    expect(other.unread).toBe(false);
  });

  it('that was thrown away says so to who asks for it later', async () => {
    const { body, source } = open();
    body.push(Buffer.from('a'));
    body.discard();
    expect(source.wanted).toBe(1);
    await expect(body.text()).rejects.toMatchObject({
      code: 'ERR_BODY_USED',
      message: 'the request body was thrown away, for nobody read it',
    });
  });
});
