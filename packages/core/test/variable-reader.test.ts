import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { RemoteProtocolError } from '../src/errors.ts';
import { limitsWith } from '../src/limits.ts';
import { NameTree } from '../src/name-tree.ts';
import { checkItem, VariableReader, type Variables } from '../src/variable-reader.ts';

const limits = limitsWith();

/** Reads a block of our own making: the bytes of all names and values, with a byte between them that belongs to none. */
function read(reader: VariableReader, pairs: readonly (readonly [string, string])[], between = '.'): Variables {
  const places: number[][] = [];
  let text = '';
  for (const [name, value] of pairs) {
    const nameAt = text.length;
    text += name + between;
    places.push([nameAt, name.length, text.length, value.length]);
    text += value + between;
  }
  reader.begin(Buffer.from(text, 'latin1'), limits);
  for (const [nameAt, nameLength, valueAt, valueLength] of places) reader.add(nameAt, nameLength, valueAt, valueLength);
  return reader.end();
}

function entries({ names, values }: Variables): [string, string][] {
  return values.map((value, i) => [names.names[i], value]);
}

function refusal(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    return `${error.code} ${error.scope} ${error.statusHint}`;
  }
  return undefined;
}

const name = fc.constantFrom(
  'A',
  'AB',
  'ABC',
  'ABCD',
  'ABCE',
  'ABCDE',
  'ABCDEFG',
  'ABCDEFH',
  'ABCDEFGHIJKLM',
  'ABCDEFGHIJKLN',
);
const value = fc.stringMatching(/^[\x20-\xff]{0,20}$/);
const pairs = fc.array(fc.tuple(name, value), { maxLength: 8 });

describe('a VariableReader', () => {
  it('reads the same whatever it has read before', () => {
    fc.assert(
      fc.property(fc.array(pairs, { maxLength: 4 }), (requests) => {
        const reader = new VariableReader(new NameTree());
        for (const request of requests) expect(entries(read(reader, request))).toEqual(request);
      }),
      { numRuns: 500 },
    );
  });

  it('gives the same names as one object again, by turns too', () => {
    const reader = new VariableReader(new NameTree());
    const one = read(reader, [
      ['HTTP_A', '1'],
      ['HTTP_B', '2'],
    ]).names;
    const other = read(reader, [
      ['HTTP_A', '1'],
      ['HTTP_C', '2'],
      ['HTTP_D', ''],
    ]).names;
    expect(
      read(reader, [
        ['HTTP_A', 'x'],
        ['HTTP_B', ''],
      ]).names,
    ).toBe(one);
    expect(
      read(reader, [
        ['HTTP_A', 'x'],
        ['HTTP_C', ''],
        ['HTTP_D', ''],
      ]).names,
    ).toBe(other);
    expect(read(reader, [['HTTP_A', 'x']]).names.names).toEqual(['HTTP_A']);
  });

  it.each(['\0', '\r', '\n'])('does not take the byte %j between two values for a part of one', (between) => {
    const reader = new VariableReader(new NameTree());
    const sent: [string, string][] = [
      ['HTTP_A', '1'],
      ['HTTP_B', ''],
      ['REMOTE_ADDR', 'x'.repeat(30)],
    ];
    expect(entries(read(reader, sent, between))).toEqual(sent);
  });

  it.each([
    ['HTTP_A', 'a\0', 'ERR_ENV_VALUE request 400'],
    ['HTTP_A', '\rb', 'ERR_ENV_VALUE request 400'],
    ['HTTP_A', 'a\nb', 'ERR_ENV_VALUE request 400'],
    ['CONTENT_TYPE', 'a\nb', 'ERR_ENV_VALUE request 400'],
    ['REMOTE_USER', 'a\0b', 'ERR_ENV_VALUE request 400'],
    ['SSL_CLIENT_CERT', 'a\r\nb', undefined],
  ])('says of %s with %j: %s', (variable, text, outcome) => {
    for (const before of ['', 'x\n', 'x\0y']) {
      const reader = new VariableReader(new NameTree());
      // what stood in a request before is not remembered
      refusal(() => read(reader, [['HTTP_A', before]]));
      const sent: [string, string][] = [
        ['REMOTE_ADDR', '1'],
        [variable, text],
        ['HTTP_Z', 'z'],
      ];
      expect(refusal(() => read(reader, sent))).toBe(outcome);
    }
  });

  it('keeps to the limits, one either side', () => {
    const reader = new VariableReader(new NameTree());
    const narrow = limitsWith({ maxEnvCount: 2, maxNameBytes: 3, maxValueBytes: 4 });
    const add = (count: number, nameLength: number, valueLength: number) =>
      refusal(() => {
        reader.begin(Buffer.alloc(20, 'A'), narrow);
        for (let i = 0; i < count; i++) reader.add(0, nameLength, 10, valueLength);
        reader.end();
      });
    expect(add(2, 3, 4)).toBeUndefined();
    expect(add(3, 3, 4)).toBe('ERR_ENV_COUNT request 431');
    expect(add(2, 4, 4)).toBe('ERR_ENV_ITEM request 431');
    expect(add(2, 3, 5)).toBe('ERR_ENV_ITEM request 431');
  });
});

describe('a block that is read', () => {
  const sent: [string, string][] = [
    ['REQUEST_METHOD', 'GET'],
    ['HTTP_A', '1'],
    ['HTTP_B', ''],
    ['REMOTE_ADDR', 'x'.repeat(30)],
  ];

  it.each(['\0', '\r', '\n', '.'])('has its values looked at once, where %j stands between them', (between) => {
    const reader = new VariableReader(new NameTree());
    read(reader, sent, between);
    const exec = jest.spyOn(RegExp.prototype, 'exec');
    try {
      read(reader, sent, between);
      expect(exec).not.toHaveBeenCalled();
    } finally {
      exec.mockRestore();
    }
  });

  it('may lie anywhere in its bytes', () => {
    const reader = new VariableReader(new NameTree());
    const bytes = Buffer.from('......A=one;B=two;......', 'latin1');
    for (let i = 0; i < 2; i++) {
      reader.begin(bytes, limits, 6, 18);
      expect(reader.text).toBe('A=one;B=two;');
      reader.add(6, 1, 8, 3);
      reader.add(12, 1, 14, 3);
      expect(entries(reader.end())).toEqual([
        ['A', 'one'],
        ['B', 'two'],
      ]);
    }
  });

  it('has as many values as it has variables, however many there were before', () => {
    const reader = new VariableReader(new NameTree());
    for (const count of [4, 1, 3, 0, 2]) expect(read(reader, sent.slice(0, count)).values).toHaveLength(count);
  });

  it('is there as text until its end, and nothing of it behind that', () => {
    const reader = new VariableReader(new NameTree());
    reader.begin(Buffer.from('A\xff', 'latin1'), limits);
    expect(reader.text).toBe('A\xff');
    reader.end();
    expect(reader.text).toBe('');
  });

  it.each([
    [[257, 0], 'maxNameBytes'],
    [[0, 65_536], 'maxValueBytes'],
  ])('of items of %j bytes hits the limit %s', ([name, value], limit) => {
    expect(() => checkItem(name, value, limits)).toThrow(expect.objectContaining({ limit }));
  });

  it('of too many variables hits the limit maxEnvCount', () => {
    const reader = new VariableReader(new NameTree());
    reader.begin(Buffer.from('AB'), limitsWith({ maxEnvCount: 1 }));
    reader.add(0, 1, 1, 1);
    expect(() => reader.add(0, 1, 1, 1)).toThrow(expect.objectContaining({ limit: 'maxEnvCount' }));
  });
});

describe('a NameTree', () => {
  it('does not grow without bound, and reads on when it was thrown away', () => {
    const tree = new NameTree();
    const reader = new VariableReader(tree);
    const roots = new Set([tree.root]);
    for (let i = 0; i < 20_000; i++) {
      const sent: [string, string][] = [
        ['REQUEST_METHOD', 'GET'],
        [`HTTP_X_${i}`, 'x'],
        ['HTTP_Y', 'y'],
      ];
      expect(read(reader, sent).values).toEqual(['GET', 'x', 'y']);
      roots.add(tree.root);
    }
    // three names to a list and two to the tree for each: 16,384 are used up several times
    expect(roots.size).toBeGreaterThan(3);
  });

  it('refuses a name each time it comes', () => {
    const reader = new VariableReader(new NameTree());
    for (let i = 0; i < 3; i++) expect(refusal(() => read(reader, [['A B', '']]))).toBe('ERR_ENV_NAME request 400');
    expect(entries(read(reader, [['A', 'B']]))).toEqual([['A', 'B']]);
  });
});
