import { afterEach, describe, expect, it } from '@jest/globals';
import { environmentSecret } from '../src/ajp-secret.ts';

afterEach(() => {
  delete process.env.AJP_SECRET;
});

describe('AJP_SECRET in the environment', () => {
  it('is bytes as latin-1', () => {
    process.env.AJP_SECRET = 'caf\u00e9';
    expect(environmentSecret()).toBe('caf\xc3\xa9');
  });

  it('is none when it is empty or not set', () => {
    expect(environmentSecret()).toBeUndefined();
    process.env.AJP_SECRET = '';
    expect(environmentSecret()).toBeUndefined();
  });

  it('has at most 255 bytes', () => {
    process.env.AJP_SECRET = 'x'.repeat(255);
    expect(environmentSecret()).toHaveLength(255);
    process.env.AJP_SECRET = '\u00e9'.repeat(128);
    expect(environmentSecret).toThrow(/^AJP_SECRET in the environment has 256 bytes: a secret has from 1 to 255$/);
  });
});
