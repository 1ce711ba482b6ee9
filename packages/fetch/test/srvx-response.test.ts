import { Readable, type Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { sendResponse } from '../src/send-response.ts';
import { FakeExchange, until } from './fake-exchange.ts';

/** As srvx 1 has it: the parts are handed over once. */
class HandedOver {
  readonly status = 200;
  readonly body = null;
  readonly #parts: { status: number; statusText: string; headers: string[]; body?: unknown };
  constructor(body: unknown) {
    this.#parts = { status: 202, statusText: '', headers: ['x-a', '1'], body };
  }
  _toNodeResponse(): { status: number; statusText: string; headers: string[]; body?: unknown } {
    return this.#parts;
  }
}

async function sent(body: unknown): Promise<FakeExchange> {
  const exchange = new FakeExchange();
  sendResponse(exchange, new HandedOver(body));
  await exchange.done;
  return exchange;
}

describe('a Response of srvx', () => {
  it('is answered in one call when it holds text, bytes or nothing', async () => {
    for (const [body, text] of [
      ['text', 'text'],
      [Buffer.from('bytes'), 'bytes'],
      [undefined, ''],
      [null, ''],
    ]) {
      const exchange = await sent(body);
      expect([exchange.calls, exchange.status, exchange.reason, exchange.headers, exchange.text]).toEqual([
        ['respond'],
        202,
        'Accepted',
        ['x-a', '1'],
        text,
      ]);
    }
  });

  it('may hold a stream of the web or of Node, or what can only be piped', async () => {
    expect((await sent(new Blob(['web']).stream())).text).toBe('web');
    expect((await sent(Readable.from(['no', 'de']))).text).toBe('node');
    const pipeable = {
      pipe(into: Writable) {
        into.write('pi');
        into.end('ped');
        return into;
      },
    };
    expect((await sent(pipeable)).text).toBe('piped');
  });

  it('gives up what can only be piped when the client leaves', async () => {
    let aborted = false;
    const exchange = new FakeExchange();
    const silent = {
      pipe: (into: Writable) => into,
      abort() {
        aborted = true;
      },
    };
    sendResponse(exchange, new HandedOver(silent));
    await until(() => exchange.started);
    exchange.leave();
    await until(() => aborted);
    expect(exchange.failure).toBeUndefined();
  });

  it('fails when its stream has been used, or its body is nothing that can be sent', async () => {
    const locked = new ReadableStream();
    locked.getReader();
    const read = new Response('read');
    await read.text();
    for (const body of [locked, read.body, { some: 'thing' }, 7])
      expect(() => sendResponse(new FakeExchange(), new HandedOver(body))).toThrow(
        expect.objectContaining({ code: 'ERR_APP_REPLY' }),
      );
  });
});
