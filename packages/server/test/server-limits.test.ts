import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { limitsWith, limitTable } from '@postern/core';
import { temporaryFolder } from '@postern/testkit';
import { defaultConnections, openFiles, serverLimits } from '../src/server-limits.ts';
import { atEnd } from './support/serving.ts';

const usual = limitTable.maxConnections.default;

describe('the connections of a server', () => {
  it.each([
    [undefined, usual],
    [Number.MAX_SAFE_INTEGER, usual],
    [1280, usual],
    [1000, 800],
    [3, 2],
    [0, 1],
  ])('where %p files may be open are %d', (files, connections) => {
    expect(defaultConnections(files)).toBe(connections);
  });

  it('are as many as were set, whatever the system allows', () => {
    expect(serverLimits({ maxConnections: 900_000 }).maxConnections).toBe(900_000);
    expect(serverLimits({ maxConnections: undefined }).maxConnections).toBe(defaultConnections(openFiles()));
    expect({ ...serverLimits({ maxBody: 5 }), maxConnections: usual }).toEqual(limitsWith({ maxBody: 5 }));
    expect(() => serverLimits({ maxConnections: 0 })).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });
});

describe('openFiles', () => {
  function limitsFile(text: string): string {
    const { path, remove } = temporaryFolder();
    atEnd(remove);
    const file = join(path, 'limits');
    writeFileSync(file, text);
    return file;
  }

  it('reads what Linux says, and the soft limit of it', () => {
    const line = 'Max processes             31371                31371                processes \n';
    expect(
      openFiles(limitsFile(`${line}Max open files            1024                 4096                 files \n`)),
    ).toBe(1024);
  });

  it('knows nothing where that is unlimited, said otherwise, or not said', () => {
    for (const text of ['Max open files            unlimited            unlimited            files\n', 'x', ''])
      expect(openFiles(limitsFile(text))).toBeUndefined();
    expect(openFiles('/there/is/none')).toBeUndefined();
  });
});
