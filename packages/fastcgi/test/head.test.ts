import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { begin, pair, params, stdin } from '@postern/testkit';
import { FastcgiServerConnection } from '../src/server-connection.ts';
import { bytes, ENV } from './bad-input.ts';
import { receive } from './driving.ts';
import { server } from './serving.ts';

describe('a head above a limit', () => {
  it.each([
    ['maxEnvBytes', 'ERR_ENV_BYTES', 431, { maxEnvBytes: 200 }, params(Buffer.alloc(201))],
    ['maxParamsRecords', 'ERR_ENV_BYTES', 431, { maxParamsRecords: 1 }, bytes(params(ENV), params('x'))],
    ['maxNameBytes', 'ERR_ENV_ITEM', 431, {}, params(pair('N'.repeat(257), ''))],
    ['maxValueBytes', 'ERR_ENV_ITEM', 431, { maxValueBytes: 9 }, params(pair('N', 'x'.repeat(10)))],
    ['bodyHighWater', 'ERR_FCGI_STATE', 400, { bodyHighWater: 4 }, stdin('abcde')],
  ] as const)('names %s, in words and for the counts', (limit, code, statusHint, limits, input) => {
    expect(() => receive(server(limits), begin(), input)).toThrow(
      expect.objectContaining({
        code,
        statusHint,
        scope: 'request',
        id: 1,
        limit,
        message: expect.stringContaining(limit),
      }),
    );
  });

  it('is told from a defect of our own, for which nobody else is to blame', () => {
    const limits = {
      ...limitsWith(),
      get maxNameBytes(): number {
        throw new TypeError('a defect');
      },
    };
    const whole = bytes(begin(), params(ENV), params(), stdin());
    expect(() => receive(new FastcgiServerConnection(limits), whole)).toThrow(TypeError);
    // in PARAMS that have not all come
    expect(() => receive(new FastcgiServerConnection(limits), whole.subarray(0, 40))).toThrow(TypeError);
  });

  it('says which length of a filter is none', () => {
    const connection = server({}, { roles: ['filter'] });
    const input = bytes(begin(1, 1, 3), params(bytes(ENV, pair('FCGI_DATA_LENGTH', 'x'))), params());
    expect(() => receive(connection, input)).toThrow(/FCGI_DATA_LENGTH "x"/);
  });
});
