import { describe, expect, it } from '@jest/globals';
import {
  begin,
  hex,
  pair,
  pairs,
  params,
  plainGet,
  readRecords,
  readReplies,
  record,
  request,
  stdin,
} from '../src/fastcgi-bytes.ts';

describe('the records of the tests', () => {
  it('are those of the specification, byte for byte', () => {
    expect(begin(1, 1)).toEqual(hex('01 01 00 01 00 08 00 00 00 01 01 00 00 00 00 00'));
    const content = pair('REQUEST_METHOD', 'GET');
    expect(params(content, 1, { padding: 5 })).toEqual(
      Buffer.concat([hex('01 04 00 01 00 13 05 00 0E 03'), Buffer.from('REQUEST_METHODGET'), Buffer.alloc(5)]),
    );
    expect(params()).toEqual(hex('01 04 00 01 00 00 00 00'));
    expect(stdin('x', 0x0102)).toEqual(hex('01 05 01 02 00 01 00 00 78'));
    expect(record(4, 1, '', { version: 2, reserved: 255, padding: 2, fill: 0xaa })).toEqual(
      hex('02 04 0001 0000 02 ff aaaa'),
    );
  });

  it('have lengths of one byte below 128, else of four', () => {
    expect(pair('A', 'x'.repeat(127)).subarray(0, 2)).toEqual(hex('01 7f'));
    expect(pair('A', 'x'.repeat(128)).subarray(0, 5)).toEqual(hex('01 80000080'));
    expect(pair('A', 'b', true)).toEqual(hex('80000001 80000001 41 62'));
  });

  it('make the plain GET of the list of bad inputs', () => {
    expect(pairs(plainGet)).toHaveLength(112);
    expect(request()).toHaveLength(152);
  });
});

describe('reading records', () => {
  it('finds what was written', () => {
    const bytes = Buffer.concat([record(6, 1, 'ab', { padding: 6 }), record(3, 1, Buffer.alloc(8))]);
    expect(readRecords(bytes)).toEqual([
      { version: 1, type: 6, id: 1, content: 'ab', padding: '\0'.repeat(6), reserved: 0 },
      { version: 1, type: 3, id: 1, content: '\0'.repeat(8), padding: '', reserved: 0 },
    ]);
  });

  it('refuses half a record', () =>
    expect(() => readRecords(record(6, 1, 'abc').subarray(0, 9))).toThrow(/ends at 11/));

  it('puts replies together by id, and apart where an id is used again', () => {
    const end = record(3, 1, Buffer.alloc(8));
    const bytes = [
      record(6, 1, 'a'),
      record(6, 2, 'x'),
      record(7, 1, 'e'),
      record(6, 1, 'b'),
      record(6, 1),
      end,
      record(6, 1, 'c'),
    ];
    const { replies, others } = readReplies(Buffer.concat([...bytes, record(10, 0)]));
    expect(replies).toEqual([
      { id: 1, stdout: 'ab', stderr: 'e', closed: true, end: '0000000000000000' },
      { id: 2, stdout: 'x', stderr: '', closed: false, end: undefined },
      { id: 1, stdout: 'c', stderr: '', closed: false, end: undefined },
    ]);
    expect(others).toEqual([expect.objectContaining({ type: 10, id: 0 })]);
  });

  it('refuses STDOUT behind its end', () => {
    expect(() => readReplies(Buffer.concat([record(6, 1), record(6, 1, 'a')]))).toThrow(/STDOUT behind its end/);
  });
});
