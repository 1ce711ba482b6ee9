import { PassThrough, Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import type { Chunk } from '../src/application.ts';
import { abandonBody, sendPieces } from '../src/send-body.ts';
import { FakeExchange, until } from './fake-exchange.ts';

function started(): { exchange: FakeExchange; send: (pieces: unknown) => Promise<void> } {
  const exchange = new FakeExchange();
  const writer = exchange.start(200, 'OK', []);
  return { exchange, send: (pieces) => sendPieces(exchange, writer, pieces as Iterable<Chunk>) };
}

/** An iterator that counts what is asked of it. */
class Source implements AsyncIterableIterator<Chunk> {
  nexts = 0;
  returns = 0;
  readonly #next: (n: number) => Promise<IteratorResult<Chunk>>;
  constructor(next: (n: number) => Promise<IteratorResult<Chunk>>) {
    this.#next = next;
  }
  next(): Promise<IteratorResult<Chunk>> {
    return this.#next(this.nexts++);
  }
  async return(): Promise<IteratorResult<Chunk>> {
    this.returns++;
    return { done: true, value: undefined };
  }
  [Symbol.asyncIterator](): this {
    return this;
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const never = (): Promise<IteratorResult<Chunk>> => new Promise(() => {});

describe('sendPieces', () => {
  it.each([
    ['an array', () => ['a', Buffer.from('b'), 'ä']],
    [
      'a generator',
      function* () {
        yield* ['a', Buffer.from('b'), 'ä'];
      },
    ],
    [
      'an async generator',
      async function* () {
        yield* ['a', Buffer.from('b'), 'ä'];
      },
    ],
    ['a Node stream', () => Readable.from(['a', Buffer.from('b'), 'ä'])],
    ['a ReadableStream', () => ReadableStream.from([Buffer.from('a'), Buffer.from('b'), Buffer.from('ä')])],
  ])('sends the pieces of %s and ends', async (_, make) => {
    const { exchange, send } = started();
    await send((make as () => unknown)());
    expect(exchange.body).toBe('abä');
    expect(exchange.calls).toEqual(['start', 'end']);
  });

  it('asks for no piece while there is no room, and goes on when there is', async () => {
    const { exchange, send } = started();
    exchange.room = 2;
    const source = new Source(async (n) => (n < 4 ? { done: false, value: 'x' } : { done: true, value: undefined }));
    const sending = send(source);
    await until(() => source.nexts === 2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(source.nexts).toBe(2);
    expect(exchange.body).toBe('xx');
    exchange.drain(10);
    await sending;
    expect(exchange.body).toBe('xxxx');
    expect(source.returns).toBe(0);
  });

  it('calls return once when the client leaves while it waits for a silent source', async () => {
    const { exchange, send } = started();
    const source = new Source((n) => (n === 0 ? Promise.resolve({ done: false, value: 'a' }) : never()));
    const sending = send(source);
    await until(() => source.nexts === 2);
    exchange.leave();
    await sending;
    expect(source).toMatchObject({ nexts: 2, returns: 1 });
    expect(exchange.failures).toEqual([]);
  });

  it('calls return once when the client leaves while the source is being asked', async () => {
    const { exchange, send } = started();
    const source = new Source(() => {
      exchange.leave();
      return never();
    });
    await send(source);
    expect(source).toMatchObject({ nexts: 1, returns: 1 });
  });

  it('calls return once when the client leaves while it waits for room', async () => {
    const { exchange, send } = started();
    exchange.room = 1;
    const source = new Source(async () => ({ done: false, value: 'a' }));
    const sending = send(source);
    await until(() => source.nexts === 1);
    exchange.leave();
    await sending;
    expect(source).toMatchObject({ nexts: 1, returns: 1 });
  });

  it('calls return once when the client has left before', async () => {
    const { exchange, send } = started();
    exchange.leave();
    const source = new Source(never);
    await send(source);
    expect(source).toMatchObject({ nexts: 0, returns: 1 });
  });

  it('runs the finally of a generator when the client leaves', async () => {
    const { exchange, send } = started();
    exchange.room = 1;
    let closed = false;
    const sending = send(
      (function* () {
        try {
          for (;;) yield 'x';
        } finally {
          closed = true;
        }
      })(),
    );
    await until(() => exchange.body !== '');
    exchange.leave();
    await sending;
    expect(closed).toBe(true);
  });

  it('breaks the reply off when the iterator throws, and calls return once', async () => {
    const { exchange, send } = started();
    const error = new Error('mid-way');
    const source = new Source(async (n) => {
      if (n > 0) throw error;
      return { done: false, value: 'a' };
    });
    await send(source);
    expect(exchange.body).toBe('a');
    expect(exchange.failures).toEqual([error]);
    expect(exchange.calls).toEqual(['start', 'fail']);
    expect(source.returns).toBe(1);
  });

  it('breaks the reply off when a stream is destroyed without its end', async () => {
    const { exchange, send } = started();
    const stream = new PassThrough();
    stream.write('a');
    const sending = send(stream);
    await until(() => exchange.body === 'a');
    stream.destroy();
    await sending;
    expect(exchange.calls).toEqual(['start', 'fail']);
  });

  it.each([[5], [null], [undefined], [{}], [['a']], [new ArrayBuffer(1)]])(
    'breaks the reply off at the piece %p',
    async (piece) => {
      const { exchange, send } = started();
      await send(['a', piece, 'b']);
      expect(exchange.body).toBe('a');
      expect(exchange.failures).toEqual([expect.objectContaining({ code: 'ERR_APP_REPLY' })]);
    },
  );

  it('breaks the reply off when return itself throws or rejects, and tells nobody twice', async () => {
    for (const bad of [
      () => {
        throw new Error('return');
      },
      () => Promise.reject(new Error('return')),
    ]) {
      const { exchange, send } = started();
      const iterator = { next: () => ({ done: false, value: 5 }), return: bad };
      await send({ [Symbol.iterator]: () => iterator });
      expect(exchange.over).toBe(true);
    }
  });

  it('fails the exchange when there is no iterator to be had', async () => {
    const { exchange, send } = started();
    const stream = ReadableStream.from([Buffer.from('a')]);
    stream.getReader();
    await send(stream);
    expect(exchange.calls).toEqual(['start', 'fail']);
  });

  it('keeps no step of a long stream alive until its end', async () => {
    const { exchange, send } = started();
    const steps: WeakRef<object>[] = [];
    const source = new Source((n) => {
      if (n === 1000) return never();
      const step = { done: false as const, value: 'x' };
      steps.push(new WeakRef(step));
      return Promise.resolve(step);
    });
    const sending = send(source);
    await until(() => source.nexts === 1001);
    // what a WeakRef was made of lives until the end of the turn
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(steps.filter((step) => step.deref() !== undefined).length).toBeLessThan(100);
    exchange.leave();
    await sending;
  });
});

describe('abandonBody', () => {
  it('destroys a stream that nobody has begun to read', () => {
    const stream = new PassThrough();
    abandonBody(stream);
    expect(stream.destroyed).toBe(true);
  });

  it('cancels a ReadableStream', async () => {
    let cancelled = false;
    abandonBody(
      new ReadableStream({
        cancel() {
          cancelled = true;
        },
      }),
    );
    await until(() => cancelled);
  });

  it('calls return of an iterator', () => {
    const source = new Source(never);
    abandonBody(source);
    expect(source).toMatchObject({ nexts: 0, returns: 1 });
  });

  it.each([[undefined], [null], ['text'], [new Uint8Array(1)], [5], [{ path: '/x' }], [['a']]])(
    'has nothing to do for %p',
    (body) => {
      expect(() => abandonBody(body)).not.toThrow();
    },
  );

  it('never throws', () => {
    const thrower = () => {
      throw new Error('no');
    };
    for (const body of [
      { destroy: thrower },
      { [Symbol.iterator]: thrower },
      { [Symbol.asyncIterator]: () => ({ return: thrower }) },
    ]) {
      expect(() => abandonBody(body)).not.toThrow();
    }
  });
});
