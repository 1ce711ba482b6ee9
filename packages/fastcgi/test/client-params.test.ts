import { describe, expect, it } from '@jest/globals';
import { pair, readRecords } from '@postern/testkit';
import { bodyLength, encodeParams } from '../src/client-params.ts';

describe('the PARAMS of a request', () => {
  it('fill a record up to 65,528 bytes, none of which has more than 65,535 with its padding', () => {
    const first = 'x'.repeat(65_528 - 8 - 1);
    for (const [second, records] of [
      ['', 2],
      ['x'.repeat(200), 2],
    ] as const) {
      const bytes = Buffer.concat(encodeParams(1, 'responder', ['A', first, 'B', second]));
      const read = readRecords(bytes);
      expect(read).toHaveLength(records + 1);
      expect(read.map(({ content }) => content)).toEqual([
        pair('A', first).toString('latin1'),
        pair('B', second).toString('latin1'),
        '',
      ]);
      for (const { content, padding } of read) expect(content.length + padding.length).toBeLessThanOrEqual(65_535);
      for (const { padding } of read) expect(padding).toMatch(/^\0{0,7}$/);
    }
    expect(() => encodeParams(1, 'responder', ['A', `${first}x`])).toThrow(
      expect.objectContaining({ code: 'ERR_ENV_ITEM' }),
    );
  });

  it('of which there are none are their end alone', () => {
    expect(readRecords(Buffer.concat(encodeParams(1, 'responder', [])))).toMatchObject([
      { type: 4, id: 1, content: '' },
    ]);
    const hidden = encodeParams(1, 'authorizer', ['PATH_INFO', '/']);
    expect(readRecords(Buffer.concat(hidden))).toMatchObject([{ type: 4, id: 1, content: '' }]);
  });

  it.each([
    [[], 0],
    [['CONTENT_LENGTH', ''], 0],
    [['CONTENT_LENGTH', '7'], 7],
    [['CONTENT_LENGTH', '7', 'HTTP_TRANSFER_ENCODING', ''], 7],
    [['HTTP_TRANSFER_ENCODING', 'chunked'], Number.POSITIVE_INFINITY],
    [['HTTP_TRANSFER_ENCODING', 'chunked', 'CONTENT_LENGTH', '7'], Number.POSITIVE_INFINITY],
    [['CONTENT_LENGTH', 'x'], Number.NaN],
  ])('%j say that the body has %d bytes', (variables, length) => {
    expect(bodyLength(variables)).toBe(length);
  });
});
