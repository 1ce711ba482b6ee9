import { describe, expect, it } from '@jest/globals';
import { pairedRounds } from '../../scripts/bench/rounds.mjs';

function sampler(name: string, order: string[]) {
  let count = 0;
  return async () => {
    order.push(name);
    return ++count;
  };
}

describe('pairedRounds', () => {
  it('samples both sides in every round, in an order that alternates', async () => {
    const order: string[] = [];
    const samples = await pairedRounds(sampler('of', order), sampler('to', order), { rounds: 3, seconds: 60 });
    expect(samples).toEqual({ of: [1, 2, 3], to: [1, 2, 3] });
    expect(order.join(' ')).toBe('of to to of of to');
  });

  it('makes four rounds and no more when there is no time', async () => {
    const samples = await pairedRounds(sampler('of', []), sampler('to', []), { rounds: 9, seconds: 0 });
    expect(samples.of).toHaveLength(4);
    expect(samples.to).toHaveLength(4);
  });
});
