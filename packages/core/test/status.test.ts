import { STATUS_CODES } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { reasonOf } from '../src/status.ts';

/** Where the registry has another phrase than Node 20, or none any more. */
const registered: Record<number, string> = {
  413: 'Content Too Large',
  422: 'Unprocessable Content',
  509: '509',
  510: '510',
};

describe('reasonOf', () => {
  it('gives the registered phrase, and the number as text where there is none', () => {
    for (let status = 100; status < 1000; status++)
      expect([status, reasonOf(status)]).toEqual([
        status,
        registered[status] ?? STATUS_CODES[status] ?? String(status),
      ]);
  });
});
