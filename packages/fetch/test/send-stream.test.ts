import { describe, expect, it } from '@jest/globals';
import { sendResponse } from '../src/send-response.ts';
import { type Ask, FakeExchange, until } from './fake-exchange.ts';

type Controller = ReadableStreamDefaultController<unknown>;

function send(response: Response, ask?: Ask): FakeExchange {
  const exchange = new FakeExchange(ask);
  sendResponse(exchange, response);
  return exchange;
}

function controlled(headers?: Record<string, string>): {
  response: Response;
  controller: Controller;
  cancelled: unknown[];
} {
  let controller: Controller | undefined;
  const cancelled: unknown[] = [];
  const stream = new ReadableStream<unknown>({
    start(given) {
      controller = given;
    },
    cancel(reason) {
      cancelled.push(reason);
    },
  });
  return {
    response: new Response(stream as ReadableStream, { headers }),
    controller: controller as Controller,
    cancelled,
  };
}

describe('sending a stream', () => {
  it('sends the head before the first chunk is there', async () => {
    const { response, controller } = controlled({ 'x-a': '1' });
    const exchange = send(response);
    await until(() => exchange.started);
    expect([exchange.calls, exchange.headers, exchange.chunks]).toEqual([['start'], ['x-a', '1'], []]);
    controller.enqueue(Buffer.from('one'));
    await until(() => exchange.chunks.length === 1);
    controller.enqueue(Buffer.from('two'));
    await until(() => exchange.chunks.length === 2);
    expect(exchange.over).toBe(false);
    controller.close();
    await exchange.done;
    expect([exchange.calls, exchange.text]).toEqual([['start', 'end'], 'onetwo']);
  });

  it('is one call where all of it is there at once', async () => {
    const one = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from('all'));
        controller.close();
      },
    });
    const two = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from('all '));
        controller.enqueue(Buffer.from('of it'));
        controller.close();
      },
    });
    const none = new ReadableStream({
      start(controller) {
        controller.close();
      },
    });
    for (const [stream, text] of [
      [one, 'all'],
      [two, 'all of it'],
      [none, ''],
    ] as const) {
      const exchange = send(new Response(stream));
      await exchange.done;
      expect([exchange.calls, exchange.text]).toEqual([['respond'], text]);
    }
  });

  it('gathers no more than a few chunks of a source that never waits', async () => {
    let given = 0;
    const stream = new ReadableStream({
      pull(controller) {
        if (given === 100) controller.close();
        else controller.enqueue(Buffer.from([given++]));
      },
    });
    const exchange = send(new Response(stream));
    await exchange.done;
    expect(exchange.calls).toEqual(['start', 'end']);
    expect(
      Buffer.concat(exchange.chunks as Buffer[]).equals(Buffer.from(Array.from({ length: 100 }, (_, i) => i))),
    ).toBe(true);
  });

  it('waits for the client when the writer is full', async () => {
    let given = 0;
    const stream = new ReadableStream(
      {
        pull(controller) {
          given++;
          controller.enqueue(Buffer.alloc(1000));
        },
      },
      { highWaterMark: 0 },
    );
    const exchange = send(new Response(stream), { highWater: 10_000 });
    await until(() => exchange.queued >= 10_000);
    let turns = 0;
    await until(() => turns++ > 20);
    expect(given).toBeLessThanOrEqual(12);
    exchange.drain();
    await until(() => exchange.queued >= 10_000);
    expect(given).toBeGreaterThan(12);
    exchange.leave();
    await exchange.done;
  });

  it('cancels the stream with the reason when the client leaves, whatever it waits for', async () => {
    const silent = controlled();
    const first = send(silent.response);
    await until(() => first.started);
    const reason = first.leave();
    await until(() => silent.cancelled.length > 0);
    expect(silent.cancelled).toEqual([reason]);

    const full = controlled();
    const second = send(full.response, { highWater: 1 });
    full.controller.enqueue(Buffer.from('x'));
    await until(() => second.queued > 0);
    const other = second.leave();
    await until(() => full.cancelled.length > 0);
    expect(full.cancelled).toEqual([other]);

    expect([first.failure, second.failure]).toEqual([undefined, undefined]);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    'sends nothing more when the client leaves %d microtasks after',
    async (wait) => {
      const { response, cancelled } = controlled();
      const exchange = send(response);
      for (let i = 0; i < wait; i++) await undefined;
      const reason = exchange.leave();
      const before = [...exchange.calls];
      let turns = 0;
      await until(() => turns++ > 3);
      expect([cancelled, exchange.calls, exchange.failure]).toEqual([[reason], before, undefined]);
    },
  );

  it('fails before the head when the stream is broken from the start', async () => {
    const error = new Error('no source');
    const stream = new ReadableStream({
      start(controller) {
        controller.error(error);
      },
    });
    const exchange = send(new Response(stream));
    await exchange.done;
    expect([exchange.calls, exchange.failure, exchange.started]).toEqual([['fail'], error, false]);
  });

  it('breaks the reply off when the stream breaks off', async () => {
    const { response, controller } = controlled();
    const exchange = send(response);
    controller.enqueue(Buffer.from('part'));
    await until(() => exchange.chunks.length === 1);
    const error = new Error('source lost');
    controller.error(error);
    await exchange.done;
    expect([exchange.calls, exchange.failure, exchange.text]).toEqual([['start', 'fail'], error, 'part']);
  });

  it('takes text and views for chunks, and fails with others, cancelling the stream', async () => {
    const { response, controller } = controlled();
    const exchange = send(response);
    await until(() => exchange.started);
    controller.enqueue('text ');
    controller.enqueue(new DataView(Uint8Array.from(Buffer.from('view ')).buffer));
    controller.enqueue(Uint8Array.from(Buffer.from('buffer')).buffer);
    controller.close();
    await exchange.done;
    expect(exchange.text).toBe('text view buffer');

    const wrong = controlled();
    const failing = send(wrong.response);
    wrong.controller.enqueue(7);
    await failing.done;
    expect(failing.failure).toMatchObject({ code: 'ERR_APP_REPLY', message: expect.stringContaining('number') });
    await until(() => wrong.cancelled.length === 1);
  });

  it('fails, and cancels the stream, when the exchange takes no more of it', async () => {
    const { response, controller, cancelled } = controlled();
    const exchange = new FakeExchange();
    const start = exchange.start.bind(exchange);
    const long = new Error('more than its Content-Length');
    exchange.start = (...head) => ({
      ...start(...head),
      closed: false,
      write() {
        throw long;
      },
    });
    sendResponse(exchange, response);
    await until(() => exchange.started);
    controller.enqueue(Buffer.from('too much'));
    await exchange.done;
    expect(exchange.failure).toBe(long);
    await until(() => cancelled.length === 1);
  });
});
