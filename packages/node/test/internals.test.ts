import { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { learnInternals } from '../src/internals.ts';

function refusal(classes: { IncomingMessage?: unknown; ServerResponse?: unknown }): { code?: string; message: string } {
  try {
    learnInternals({ IncomingMessage, ServerResponse, ...classes } as Parameters<typeof learnInternals>[0]);
  } catch (error) {
    return error as Error;
  }
  return { message: 'nothing was refused' };
}

describe('what is relied on in node:http', () => {
  it('holds on this Node.js', () => {
    const learnt = learnInternals({ IncomingMessage, ServerResponse });
    expect(learnt.kOutHeaders.description).toBe('kOutHeaders');
    expect(learnt.kNeedDrain.description).toBe('kNeedDrain');
    expect(typeof learnt.noCallback).toBe('function');
  });

  it('is told with the version where a head is no longer rendered by _storeHeader', () => {
    class Response extends ServerResponse {
      override writeHead(): this {
        Object.assign(this, { _header: 'HTTP/1.1 200 OK\r\n\r\n' });
        return this;
      }
    }
    const { code, message } = refusal({ ServerResponse: Response });
    expect(code).toBe('ERR_INTERNAL');
    expect(message).toContain(process.version);
    expect(message).toContain('_storeHeader');
  });

  it('is told where the end is no longer told by _finish', () => {
    class Response extends ServerResponse {
      override end(): this {
        return this;
      }
    }
    expect(refusal({ ServerResponse: Response }).message).toContain('_finish');
  });

  it('is told where writes do not come through _send', () => {
    class Response extends ServerResponse {
      override write(): boolean {
        return true;
      }
    }
    expect(refusal({ ServerResponse: Response }).message).toContain('_send');
  });

  it('is told where a request does not take its headers as an array', () => {
    class Request extends IncomingMessage {
      _addHeaderLines(): void {}
    }
    expect(refusal({ IncomingMessage: Request }).message).toContain('array');
  });

  it('is told where a request does not ask its socket for the body', () => {
    class Request extends IncomingMessage {
      override _read(): void {}
    }
    expect(refusal({ IncomingMessage: Request }).message).toContain('resume()');
  });
});
