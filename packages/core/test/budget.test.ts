import { expect, it } from '@jest/globals';
import { Budget } from '../src/budget.ts';
import { limitsWith } from '../src/limits.ts';

it('may be spent up to its limit, and again when it is renewed; above it the error names the limit', () => {
  const budget = new Budget(limitsWith({ maxJunkRecords: 2 }), 'maxJunkRecords', 'ERR_FCGI_JUNK', 'pieces of junk');
  for (let i = 0; i < 3; i++) {
    budget.spend();
    budget.spend();
    budget.renew();
  }
  budget.spend();
  budget.spend();
  for (let i = 0; i < 2; i++) {
    expect(() => budget.spend()).toThrow(
      expect.objectContaining({
        code: 'ERR_FCGI_JUNK',
        scope: 'connection',
        limit: 'maxJunkRecords',
        message: 'more than 2 pieces of junk (maxJunkRecords)',
      }),
    );
  }
});
