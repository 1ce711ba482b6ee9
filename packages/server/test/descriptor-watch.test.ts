import fs from 'node:fs';
import { describe, expect, it, jest } from '@jest/globals';
import { DescriptorWatch } from '../src/descriptor-watch.ts';

describe('the look for descriptors', () => {
  it('finds one, unless nothing can be opened, and looks once a second', () => {
    const watch = new DescriptorWatch();
    const codes = [undefined, 'EMFILE', undefined, 'ENFILE', 'EACCES'];
    const open = jest.spyOn(fs, 'openSync').mockImplementation(() => {
      const code = codes.shift();
      if (code === undefined) return 999_999;
      throw Object.assign(new Error(code), { code });
    });
    const close = jest.spyOn(fs, 'closeSync').mockImplementation(() => {});
    try {
      const seen = [0, 999, 1000, 1500, 1999, 2000, 3000, 3500, 4000].map((now) => watch.look(now));
      const none = undefined;
      expect(seen).toEqual([none, none, 'EMFILE', none, none, none, 'ENFILE', none, none]);
      expect(open).toHaveBeenCalledTimes(5);
      expect(close.mock.calls).toEqual([[999_999], [999_999]]);
    } finally {
      open.mockRestore();
      close.mockRestore();
    }
  });

  it('leaves nothing open', () => {
    const opened = (): number => fs.readdirSync('/proc/self/fd').length;
    const before = opened();
    const watch = new DescriptorWatch();
    for (let now = 0; now < 10_000; now += 1000) expect(watch.look(now)).toBeUndefined();
    expect(opened()).toBe(before);
  });
});
