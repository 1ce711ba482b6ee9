import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { limitsWith, NameTree, RemoteProtocolError, VariableReader, variableNames } from '@postern/core';
import { hex, pair, pairs } from '@postern/testkit';
import { ByteWriter } from '@postern/wire';
import fc from 'fast-check';
import { checkLengths, readPairs, readParams, writePair } from '../src/params.ts';

const limits = limitsWith();
const list: [string, string][] = [
  ['REQUEST_METHOD', 'GET'],
  ['REQUEST_URI', '/'],
  ['HTTP_HOST', 'a'],
  ['HTTP_COOKIE', 'x=1'],
];

function freshReader(): VariableReader {
  return new VariableReader(new NameTree());
}

/** @param expected the names of a request that was read before */
function read(content: Buffer, expected?: readonly string[], set = limits) {
  const reader = freshReader();
  if (expected !== undefined) readParams(pairs(expected.map((one) => [one, ''] as const)), reader, limits);
  return readParams(content, reader, set);
}

function entries(content: Buffer, expected?: readonly string[]): [string, string][] {
  const { names, values } = read(content, expected);
  return values.map((value, i) => [names.names[i], value]);
}

function refusal(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    return `${error.code} ${error.statusHint} ${error.scope}`;
  }
  return undefined;
}

const length = fc.constantFrom(0, 1, 2, 100, 127, 128, 129, 255, 256, 1000);
const name = fc.constantFrom(1, 2, 14, 127, 128, 200, 256).map((size) => 'N'.repeat(size));
const value = length
  .chain((size) => fc.uint8Array({ minLength: size, maxLength: size }))
  // what no value may hold is tested with the reader
  .map((bytes) => Buffer.from(bytes.map((byte) => byte || 1)).toString('latin1'));
const anyPairs = fc.array(fc.record({ name, value, long: fc.boolean() }), { maxLength: 8 });

describe('name-value pairs', () => {
  it('are read as they were written, with lengths in either form', () => {
    fc.assert(
      fc.property(anyPairs, (some) => {
        const content = Buffer.concat(some.map((one) => pair(one.name, Buffer.from(one.value, 'latin1'), one.long)));
        expect(entries(content)).toEqual(some.map((one) => [one.name, one.value]));
        const taken: [string, string][] = [];
        readPairs(content, (first, second) => taken.push([first, second]));
        expect(taken).toEqual(some.map((one) => [one.name, one.value]));
      }),
    );
  });

  it('are written in the shortest form', () => {
    fc.assert(
      fc.property(anyPairs, (some) => {
        const writer = new ByteWriter();
        for (const one of some) writePair(writer, one.name, one.value);
        expect(writer.view().equals(pairs(some.map((one) => [one.name, one.value] as const)))).toBe(true);
      }),
    );
    const writer = new ByteWriter();
    writePair(writer, 'A'.repeat(127), 'b'.repeat(128));
    expect(writer.view().subarray(0, 5)).toEqual(hex('7f 80 00 00 80'));
  });

  it('that any bytes make are pairs, or refused by a code', () => {
    const codes = new Set([
      'ERR_ENV_PAIR 400 request',
      'ERR_ENV_NAME 400 request',
      'ERR_ENV_VALUE 400 request',
      'ERR_ENV_ITEM 431 request',
    ]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (any) => {
        const code = refusal(() => read(Buffer.from(any)));
        if (code !== undefined) expect(codes).toContain(code);
      }),
      { numRuns: 1000 },
    );
  });

  it('that are cut anywhere are refused', () => {
    const content = pairs(list);
    const ends = new Set(list.map((_, i) => pairs(list.slice(0, i)).length));
    for (let at = 1; at < content.length; at++) {
      if (ends.has(at)) continue;
      const cut = content.subarray(0, at);
      expect([at, refusal(() => read(cut))]).toEqual([at, 'ERR_ENV_PAIR 400 request']);
      expect([at, refusal(() => readPairs(cut, () => {}))]).toEqual([at, 'ERR_ENV_PAIR 400 request']);
    }
  });

  it.each([
    ['maxNameBytes', 5, (size: number) => pair('N'.repeat(size), ''), 'ERR_ENV_ITEM 431 request'],
    ['maxValueBytes', 5, (size: number) => pair('N', 'v'.repeat(size)), 'ERR_ENV_ITEM 431 request'],
    [
      'maxEnvCount',
      5,
      (size: number) => pairs(Array.from({ length: size }, (_, i) => [`N${i}`, ''] as const)),
      'ERR_ENV_COUNT 431 request',
    ],
  ] as const)('keep to %s', (limit, most, make, code) => {
    const set = limitsWith({ [limit]: most });
    for (const size of [most - 1, most]) expect(refusal(() => read(make(size), undefined, set))).toBeUndefined();
    expect(refusal(() => read(make(most + 1), undefined, set))).toBe(code);
    expect(refusal(() => read(make(most + 1), ['N0', 'N1', 'N2', 'N3', 'N4', 'N5'], set))).toBe(code);
  });
});

describe('the names of an earlier request', () => {
  const names = list.map(([one]) => one);

  it('are used again as they are when the same come in the same order', () => {
    const reader = freshReader();
    const first = readParams(pairs(list), reader, limits);
    const second = readParams(pairs(list.map(([one]) => [one, 'other'] as const)), reader, limits);
    expect(second.names).toBe(first.names);
    expect(second.values).toEqual(['other', 'other', 'other', 'other']);
  });

  it.each<[string, [string, string][]]>([
    ['none', []],
    ['one less, the last', list.slice(0, -1)],
    ['one less, the first', list.slice(1)],
    ['one less, in the middle', [list[0], ...list.slice(2)]],
    ['one more, at the end', [...list, ['X', 'x']]],
    ['one more, at the beginning', [['X', 'x'], ...list]],
    ['one other of the same length', [list[0], ['REQUEST_URL', '/'], ...list.slice(2)]],
    ['one that is the beginning of the expected one', [list[0], ['REQUEST', '_URI'], ...list.slice(2)]],
    ['one that the expected one is the beginning of', [list[0], ['REQUEST_URI_', '/'], ...list.slice(2)]],
    ['another order', [...list].reverse()],
    ['the same one everywhere', list.map(() => list[0])],
  ])('do no harm when %s come', (_, sent) => {
    expect(entries(pairs(sent), names)).toEqual(sent);
    const { names: found } = read(pairs(sent), names);
    expect(found).toEqual(variableNames(sent.map(([one]) => one)));
  });

  it('never change what is read', () => {
    const some = fc.array(
      fc.tuple(fc.constantFrom('A', 'AB', 'B', 'HTTP_X', 'HTTP_Y'), fc.constantFrom('', 'x', 'B', 'AB')),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(some, some, (before, now) => {
        expect(
          entries(
            pairs(now),
            before.map(([one]) => one),
          ),
        ).toEqual(now);
      }),
    );
  });

  it('keep no value alive', () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const set = limitsWith({ maxValueBytes: 1_048_576 });
    const content = pairs([
      ['A_NAME_LONG_ENOUGH_TO_BE_CUT_OUT_OF_ITS_STREAM', 'v'.repeat(1_000_000)],
      ['ANOTHER_NAME_OF_THAT_KIND', ''],
    ]);
    // what earlier tests left may need more than one collection
    const heap = (): number => {
      let used = Number.POSITIVE_INFINITY;
      for (let last = 0; last < 20; last++) {
        collectGarbage();
        const now = process.memoryUsage().heapUsed;
        if (now > used - 100_000) return now;
        used = now;
      }
      return used;
    };
    const before = heap();
    const kept = Array.from({ length: 64 }, () => readParams(content, freshReader(), set).names);
    const withNames = heap();
    expect(withNames - before).toBeLessThan(8_000_000);
    expect(kept).toHaveLength(64);
    const values = Array.from({ length: 64 }, () => readParams(content, freshReader(), set).values);
    expect(heap() - withNames).toBeGreaterThan(32_000_000);
    expect(values).toHaveLength(64);
  });
});

describe('checkLengths', () => {
  it('goes from pair to pair as they come, and looks at each once', () => {
    const content = pairs(list);
    const ends = list.map((_, i) => pairs(list.slice(0, i + 1)).length);
    let at = 0;
    for (let come = 0; come <= content.length; come++) {
      at = checkLengths(content.subarray(0, come), at, limits);
      expect(at).toBe(Math.max(0, ...ends.filter((end) => end <= come)));
    }
  });

  it('refuses a length as soon as both lengths of its pair are there, and not before', () => {
    const long = hex('80 00 01 01 00');
    for (let come = 0; come < 5; come++) expect(checkLengths(long.subarray(0, come), 0, limits)).toBe(0);
    expect(refusal(() => checkLengths(long, 0, limits))).toBe('ERR_ENV_ITEM 431 request');
    expect(refusal(() => checkLengths(hex('01 80 01 00 00'), 0, limits))).toBe('ERR_ENV_ITEM 431 request');
  });

  it('refuses nothing that the reading of the whole would take', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(40), (any, come) => {
        const content = Buffer.from(any);
        const early = refusal(() => checkLengths(content.subarray(0, come), 0, limits));
        if (early !== undefined) expect(refusal(() => read(content))).toBe(early);
      }),
      { numRuns: 1000 },
    );
  });
});
