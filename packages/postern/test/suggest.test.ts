import { describe, expect, it } from '@jest/globals';
import { nearest } from '../src/suggest.ts';

describe('nearest', () => {
  const known = ['listen', 'interface', 'mount', 'max-body', 'max-env-bytes', 'help'];

  it.each([
    ['lisen', 'listen'],
    ['listne', 'listen'],
    ['maxBody', 'max-body'],
    ['interfase', 'interface'],
    ['hepl', 'help'],
    ['mount', 'mount'],
  ])('takes %s for %s', (name, meant) => {
    expect(nearest(name, known)).toBe(meant);
  });

  it.each(['x', 'color', 'workers', ''])('has nothing for %j', (name) => {
    expect(nearest(name, known)).toBeUndefined();
  });
});
