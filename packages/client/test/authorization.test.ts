import { describe, expect, it } from '@jest/globals';
import { readAuthorization } from '../src/index.ts';

describe('the answer of an authorizer', () => {
  it('that is 200 allows, and its Variable- headers are variables', () => {
    const headers = [
      'Variable-REMOTE_USER',
      'ann',
      'X-Other',
      'x',
      'variable-A_B',
      '',
      'Variable-',
      'x',
      'Variable',
      'x',
    ];
    expect(readAuthorization({ status: 200, headers })).toEqual({
      allowed: true,
      variables: ['REMOTE_USER', 'ann', 'A_B', ''],
    });
  });

  it.each([201, 302, 401, 403, 500])('that is %i does not, whatever its headers', (status) => {
    const headers = ['Variable-REMOTE_USER', 'ann'];
    expect(readAuthorization({ status, headers })).toEqual({ allowed: false, variables: [] });
  });
});
