import type { ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { nodeHandler } from '../src/node-handler.ts';
import { answer, FakeExchange } from './fake-exchange.ts';

type WithInformation = ServerResponse & { writeInformation(status: number, headers?: unknown): boolean };

function codeOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
}

describe('an informational reply', () => {
  it('goes by the exchange, and its callback is called', async () => {
    const called: string[] = [];
    const exchange = await answer(
      nodeHandler((_req, res) => {
        res.writeContinue(() => called.push('continue'));
        res.writeProcessing();
        res.writeEarlyHints({ link: ['</a.css>; rel=preload', '</b.js>; rel=preload'], 'x-trace': '7' }, () => {
          called.push('hints');
          res.end('done');
        });
      }),
    );
    expect(exchange.informed).toEqual([
      { status: 100, headers: [] },
      { status: 102, headers: [] },
      { status: 103, headers: ['link', '</a.css>; rel=preload, </b.js>; rel=preload', 'x-trace', '7'] },
    ]);
    expect(called).toEqual(['continue', 'hints']);
    expect(exchange.body).toBe('done');
  });

  it('is no error where the protocol cannot carry it', () => {
    const exchange = new FakeExchange();
    exchange.canInform = false;
    let sent: boolean | undefined;
    nodeHandler((_req, res) => {
      res.writeEarlyHints({ link: '</a>' });
      sent = (res as WithInformation).writeInformation(104, { a: 'b' });
      res.end();
    })(exchange);
    expect(exchange.failures).toEqual([]);
    expect(sent).toBe(false);
    expect(exchange.status).toBe(200);
  });

  it('without links is not sent', () => {
    const exchange = new FakeExchange();
    nodeHandler((_req, res) => {
      res.writeEarlyHints({ link: [] });
      res.end();
    })(exchange);
    expect(exchange.informed).toEqual([]);
  });

  it('is refused where a value could break out of its line', () => {
    const codes: unknown[] = [];
    const exchange = new FakeExchange();
    nodeHandler((_req, res) => {
      codes.push(codeOf(() => res.writeEarlyHints({ link: '</a>', 'x-a': 'b\r\nHTTP/1.1 200 OK' })));
      codes.push(codeOf(() => res.writeEarlyHints({ link: '</a>\r\nx: y' })));
      codes.push(codeOf(() => res.writeEarlyHints('link' as unknown as Record<string, string>)));
      res.end();
    })(exchange);
    expect(codes).toEqual(['ERR_INVALID_CHAR', 'ERR_INVALID_CHAR', 'ERR_INVALID_ARG_TYPE']);
    expect(exchange.informed).toEqual([]);
  });

  it('is not sent behind the head', () => {
    const exchange = new FakeExchange();
    nodeHandler((_req, res) => {
      res.flushHeaders();
      res.writeContinue();
      res.end();
    })(exchange);
    expect(exchange.informed).toEqual([]);
  });

  it('has a status from 100 to 199, and not 101', () => {
    const codes: unknown[] = [];
    nodeHandler((_req, res) => {
      for (const status of [101, 99, 200, 1.5]) {
        codes.push(codeOf(() => (res as WithInformation).writeInformation(status)));
      }
      res.end();
    })(new FakeExchange());
    expect(codes).toEqual(Array(4).fill('ERR_HTTP_INVALID_STATUS_CODE'));
  });

  it('is no final reply: writeHead refuses it, and the reply can still be given', () => {
    const codes: unknown[] = [];
    const exchange = new FakeExchange();
    nodeHandler((_req, res) => {
      codes.push(codeOf(() => res.writeHead(101, { Upgrade: 'websocket' })));
      codes.push(codeOf(() => res.writeHead(100)));
      res.writeHead(426);
      res.end('no upgrade here');
    })(exchange);
    expect(codes).toEqual(['ERR_STATUS', 'ERR_STATUS']);
    expect([exchange.status, exchange.reason, exchange.body]).toEqual([426, 'Upgrade Required', 'no upgrade here']);
  });
});
