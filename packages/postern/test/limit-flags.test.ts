import { describe, expect, it } from '@jest/globals';
import { limitTable } from '@postern/core';
import { limitFlags, readLimitFlags } from '../src/limit-flags.ts';

describe('limit flags', () => {
  it('are the limits by their names in kebab case', () => {
    expect(limitFlags.map(({ name }) => name)).toEqual(Object.keys(limitTable));
    const flags = limitFlags.map(({ flag }) => flag);
    expect(flags).toContain('max-body');
    expect(flags).toContain('max-concurrent-per-connection');
    expect(flags).toContain('keep-alive-timeout');
    expect(flags).toContain('grace');
    for (const flag of flags) expect(flag).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
  });

  it('tell their defaults', () => {
    const text = (name: string): string | undefined => limitFlags.find(({ flag }) => flag === name)?.text;
    expect(text('max-body')).toMatch(/\[unlimited\]$/);
    expect(text('grace')).toMatch(/\[30s\]$/);
    expect(text('body-high-water')).toMatch(/\[64k\]$/);
    expect(text('max-connections')).toMatch(/\[1024\]$/);
  });

  it('are read in their units', () => {
    expect(
      readLimitFlags({ 'max-body': '10m', 'app-timeout': '0', grace: '500ms', 'max-connections': '8', listen: ['x'] }),
    ).toEqual({ maxBody: 10_485_760, appTimeout: 0, grace: 500, maxConnections: 8 });
    expect(readLimitFlags({})).toEqual({});
  });

  it.each([
    ['grace', '30', 'write a time with its unit'],
    ['max-body', '10s', 'write bytes'],
    ['max-connections', '1k', 'write a whole number'],
    ['max-connections', '0', 'it is out of bounds: write 1 to 1000000'],
    ['max-connections', '1000001', 'it is out of bounds'],
    ['app-timeout', '25h', 'it is out of bounds: write 0 (no limit) to 24h'],
    ['headers-timeout', '0', 'it is out of bounds: write 1ms to 1h'],
  ])('--%s %s is refused: %s', (flag, value, message) => {
    expect(() => readLimitFlags({ [flag]: value })).toThrow(
      expect.objectContaining({
        code: 'ERR_OPTION',
        message: expect.stringContaining(`--${flag} "${value}": ${message}`),
      }),
    );
  });

  it('are given once, with a value', () => {
    expect(() => readLimitFlags({ grace: ['1s', '2s'] })).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
    expect(() => readLimitFlags({ grace: '' })).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });
});
