import { describe, expect, it } from '@jest/globals';
import { type LimitName, limitCounts, limitsWith, limitTable } from '../src/limits.ts';

const names = Object.keys(limitTable) as LimitName[];

function set(name: string, value: unknown): unknown {
  return () => limitsWith({ [name]: value } as never);
}

describe('limitsWith', () => {
  it('gives every limit its default', () => {
    const limits = limitsWith();
    expect(Object.keys(limits)).toEqual(names);
    for (const name of names) expect(limits[name]).toBe(limitTable[name].default);
  });

  it('sets what is given and leaves the others', () => {
    expect(limitsWith({ maxEnvCount: 5, maxBody: undefined })).toEqual({ ...limitsWith(), maxEnvCount: 5 });
  });

  it.each(names)('takes %s up to its ceiling and not above', (name) => {
    const { ceiling } = limitTable[name];
    expect(limitsWith({ [name]: ceiling - 1 })[name]).toBe(ceiling - 1);
    expect(limitsWith({ [name]: ceiling })[name]).toBe(ceiling);
    expect(set(name, ceiling + 1)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });

  it.each(names)('takes 0 for %s only where it has a meaning', (name) => {
    if ('zero' in limitTable[name]) expect(limitsWith({ [name]: 0 })[name]).toBe(0);
    else expect(set(name, 0)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
    expect(set(name, -1)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
    expect(limitsWith({ [name]: 1 })[name]).toBe(1);
  });

  it.each([[1.5], [Number.NaN], [Number.POSITIVE_INFINITY], ['5'], [null], [{}]])('refuses %p', (value) => {
    expect(set('maxEnvCount', value)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });

  it.each(['maxEnv', 'toString', 'constructor', ''])('refuses the unknown limit %j by name', (name) => {
    expect(set(name, 5)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(`limit ${name}:`) }),
    );
  });
});

describe('the table of limits', () => {
  it.each(names)('says what %s is, and whom it follows', (name) => {
    const row = limitTable[name];
    expect(row.default).toBeLessThanOrEqual(row.ceiling);
    expect(row.text).not.toBe('');
    expect(row.precedent).not.toBe('');
    expect(row.answer).not.toBe('');
    expect(row.row).toMatch(/^L[0-9]+$/);
  });

  it('keeps an idle connection longer than nginx does, and answers before nginx gives up', () => {
    expect(limitTable.keepAliveTimeout.default).toBeGreaterThan(60_000);
    expect(limitTable.appTimeout.default).toBeLessThan(60_000);
  });
});

it('limitCounts counts every limit apart, from 0', () => {
  const [one, other] = [limitCounts(), limitCounts()];
  one.maxBody++;
  expect(other).toEqual(Object.fromEntries([...names, 'packetSize'].map((name) => [name, 0])));
  expect(one).toEqual({ ...other, maxBody: 1 });
});
