import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { describe, expect, it } from '@jest/globals';
import type { Reply, ReplyBody } from '../src/application.ts';
import { LocalProtocolError } from '../src/errors.ts';
import { bodyKind, checkReply, flattenHeaders } from '../src/reply.ts';

function refusal(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (!(error instanceof LocalProtocolError)) throw error;
    return error.code;
  }
  return undefined;
}

describe('checkReply', () => {
  it('takes an object with a status', () => {
    const reply = { status: 200 };
    expect(checkReply(reply)).toBe(reply);
  });

  it.each([
    [undefined],
    [null],
    ['hi'],
    [200],
    [{}],
    [{ status: '200' }],
    [[200, [], 'hi']],
    [Object.create(null)],
    [() => 0],
  ])('refuses %p', (reply) => expect(refusal(() => checkReply(reply))).toBe('ERR_APP_REPLY'));

  it('says what the application answered instead', () => {
    expect(() => checkReply(undefined)).toThrow(/answered undefined/);
    expect(() => checkReply(new Map())).toThrow(/answered Map/);
    expect(() => checkReply(null)).toThrow(/answered null/);
    expect(() => checkReply(Object.create(null))).toThrow(/answered object/);
  });
});

describe('flattenHeaders', () => {
  it.each<[string, Reply['headers'], string[]]>([
    ['nothing', undefined, []],
    ['an object', { A: '1', B: '2' }, ['A', '1', 'B', '2']],
    [
      'an array of values',
      { 'Set-Cookie': ['a', 'b', 'c'] },
      ['Set-Cookie', 'a', 'Set-Cookie', 'b', 'Set-Cookie', 'c'],
    ],
    [
      'pairs',
      [
        ['A', '1'],
        ['A', '2'],
      ],
      ['A', '1', 'A', '2'],
    ],
    ['a Map', new Map([['A', '1']]), ['A', '1']],
    ['an object without a prototype', Object.assign(Object.create(null), { A: '1' }), ['A', '1']],
    [
      'Headers',
      new Headers([
        ['Set-Cookie', 'a'],
        ['Set-Cookie', 'b'],
      ]),
      ['set-cookie', 'a', 'set-cookie', 'b'],
    ],
  ])('takes %s', (_, headers, flat) => expect(flattenHeaders(headers)).toEqual(flat));

  it('writes numbers in decimal', () => {
    const headers = { 'Content-Length': 5, A: [1, '2'] } as unknown as Reply['headers'];
    expect(flattenHeaders(headers)).toEqual(['Content-Length', '5', 'A', '1', 'A', '2']);
  });

  it('loses no field that is named __proto__', () => {
    expect(flattenHeaders(JSON.parse('{"__proto__":"x"}'))).toEqual(['__proto__', 'x']);
  });

  it('takes no inherited property for a field', () => {
    expect(flattenHeaders(Object.create({ A: '1' }))).toEqual([]);
  });

  it.each([
    [{ A: undefined }],
    [{ A: null }],
    [{ A: {} }],
    [{ A: Symbol('x') }],
    [{ A: [undefined] }],
    [{ A: true }],
    ['A: 1'],
    [5],
    [['A', '1']],
    [['ab']],
    [[null]],
    [[['A']]],
  ])('refuses %p', (headers) => {
    expect(refusal(() => flattenHeaders(headers as unknown as Reply['headers']))).toBe('ERR_APP_REPLY');
  });

  it('names the field whose value is wrong', () => {
    expect(() => flattenHeaders({ 'X-A': undefined } as unknown as Reply['headers'])).toThrow(/X-A is undefined/);
  });
});

describe('bodyKind', () => {
  it.each<[string, ReplyBody | undefined]>([
    ['whole', undefined],
    ['whole', null],
    ['whole', ''],
    ['whole', new Uint8Array(1)],
    ['whole', Buffer.from('x')],
    ['iterable', ['a']],
    ['iterable', new Set(['a'])],
    ['async', (async function* () {})()],
    ['async', new ReadableStream()],
    ['async', Readable.from([]) as AsyncIterable<string>],
    ['file', { path: '/x' }],
  ])('is %s for %p', (kind, body) => expect(bodyKind(body)).toBe(kind));

  it.each([[5], [true], [{}], [new Date(0)], [new ArrayBuffer(1)], [Promise.resolve('x')], [() => 'x'], [Symbol('x')]])(
    'refuses %p',
    (body) => expect(refusal(() => bodyKind(body as unknown as ReplyBody))).toBe('ERR_APP_REPLY'),
  );
});

describe('what is not there', () => {
  it('is no header, as undefined or null', () => {
    for (const none of [undefined, null]) expect(flattenHeaders(none as Reply['headers'])).toEqual([]);
  });

  it('leaves a file that is open: it is told by its handle', () => {
    expect(bodyKind({ handle: {} } as ReplyBody)).toBe('file');
  });
});
