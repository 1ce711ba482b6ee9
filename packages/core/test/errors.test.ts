import { describe, expect, it } from '@jest/globals';
import {
  AbortError,
  ConfigError,
  describeError,
  errorCodes,
  LocalProtocolError,
  PosternError,
  printable,
  RemoteProtocolError,
} from '../src/errors.ts';

describe('the errors', () => {
  it('carry a code, are named by their class, and are all of one kind', () => {
    const made = [
      new RemoteProtocolError('ERR_FCGI_RECORD', 'm'),
      new LocalProtocolError('ERR_STATUS', 'm'),
      new AbortError('ERR_ABORTED', 'm'),
      new ConfigError('ERR_ADDRESS', 'm'),
    ];
    expect(made.map(({ name }) => name)).toEqual([
      'RemoteProtocolError',
      'LocalProtocolError',
      'AbortError',
      'ConfigError',
    ]);
    expect(made.map(({ code }) => code)).toEqual(['ERR_FCGI_RECORD', 'ERR_STATUS', 'ERR_ABORTED', 'ERR_ADDRESS']);
    for (const error of made) expect(error).toBeInstanceOf(PosternError);
  });

  it('of a peer lose the connection, unless they are said to lose one request', () => {
    expect(new RemoteProtocolError('ERR_FCGI_RECORD', 'm')).toMatchObject({
      scope: 'connection',
      statusHint: 400,
      id: 0,
    });
    const one = new RemoteProtocolError('ERR_ENV_BYTES', 'm', { scope: 'request', status: 431, id: 7 });
    expect(one).toMatchObject({ scope: 'request', statusHint: 431, id: 7 });
  });

  it('of an abort have a status only where somebody is there to be answered', () => {
    expect(new AbortError('ERR_ABORTED', 'm').statusHint).toBe(0);
    const cause = new Error('c');
    expect(new AbortError('ERR_TIMEOUT_APP', 'm', 504, { cause })).toMatchObject({ statusHint: 504, cause });
  });

  it('have codes of one form, each explained by a sentence', () => {
    for (const [code, text] of Object.entries(errorCodes)) {
      expect(code).toMatch(/^ERR_[A-Z]+(?:_[A-Z]+)*$/);
      expect(text).toMatch(/^[A-Z].*\.$/s);
    }
  });
});

describe('printable', () => {
  it('escapes controls, DEL, C1, quotes and backslashes, and nothing else', () => {
    for (let code = 0; code < 0x100; code++) {
      const char = String.fromCharCode(code);
      const unsafe = code < 0x20 || (code >= 0x7f && code <= 0x9f) || char === '"' || char === '\\';
      expect(printable(`a${char}b`)).toBe(unsafe ? `a\\x${code.toString(16).padStart(2, '0')}b` : `a${char}b`);
    }
  });

  it('makes one line of a forged log entry', () => {
    expect(printable('GET\r\n2026 info \x1b[31m"ok"')).toBe('GET\\x0d\\x0a2026 info \\x1b[31m\\x22ok\\x22');
  });
});

describe('describeError', () => {
  it('tells name, message and place in one line', () => {
    const text = describeError(new TypeError('two\n  lines\r\nof it'));
    expect(text).toMatch(/^TypeError: two lines of it at .*errors\.test\.ts:\d+:\d+/);
    expect(text).not.toContain('\n');
  });

  it.each([' ', '\n'])('reads a message of many %j once', (blank) => {
    const error = new Error(`a${blank.repeat(200_000)}b\nc`);
    const began = performance.now();
    error.stack = `Error: ${error.message}\n    at somewhere (a.js:1:1)`;
    expect(describeError(error).replace(/ +/g, ' ')).toBe('Error: a b c at somewhere (a.js:1:1)');
    // far below what a pass for each blank takes, far above what one takes
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('tells the causes', () => {
    const error = new Error('outer', { cause: new Error('inner', { cause: 'root' }) });
    expect(describeError(error)).toMatch(/^Error: outer.*; cause: Error: inner.*; cause: root$/);
  });

  it('comes to an end when an error is its own cause', () => {
    const error = new Error('ring');
    error.cause = error;
    expect(describeError(error)).toMatch(/^Error: ring/);
  });

  it.each([
    ['text', 'text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [5, '5'],
    [Symbol('s'), 'Symbol(s)'],
  ])('tells %p, which is no error', (thrown, text) => expect(describeError(thrown)).toBe(text));

  it('never throws', () => {
    const evil = Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error('again');
      },
    });
    const thrower = {
      toString: () => {
        throw new Error('again');
      },
    };
    for (const thrown of [evil, thrower, Object.create(null), Object.assign(new Error('m'), { stack: 5 })]) {
      expect(typeof describeError(thrown)).toBe('string');
    }
  });
});
