import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { limitCounts } from '@postern/core';
import { randomNumbers, temporaryFolder, until } from '@postern/testkit';
import { Spool, SpoolStore } from '../src/spool.ts';
import { atEnd } from './support/serving.ts';

const MIB = 1_048_576;

interface Kept {
  readonly store: SpoolStore;
  readonly spool: Spool;
  readonly folder: string;
  readonly pieces: Buffer[];
  readonly warnings: string[];
  readonly losses: Error[];
  rooms(): number;
}

function kept({ maxSpoolBytes = 64 * MIB, path = '' } = {}): Kept {
  const folder = temporaryFolder();
  atEnd(folder.remove);
  const warnings: string[] = [];
  const losses: Error[] = [];
  const pieces: Buffer[] = [];
  let rooms = 0;
  const counts = limitCounts();
  const context = {
    limits: { maxSpoolBytes },
    counts,
    warn: (code: string, text: string) => warnings.push(`${code} ${text}`),
  };
  const store = new SpoolStore(context, `${folder.path}${path}`);
  const spool = new Spool(store, {
    piece: (chunk) => pieces.push(chunk),
    hasRoom: () => rooms++,
    lost: (error) => losses.push(error),
  });
  atEnd(() => spool.close());
  return { store, spool, folder: folder.path, pieces, warnings, losses, rooms: () => rooms };
}

function pattern(size: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) + seed) & 255;
  return bytes;
}

/** Takes all of it, piece by piece. */
async function takeAll({ spool, pieces }: Kept): Promise<void> {
  while (!spool.empty) {
    const { length } = pieces;
    spool.take();
    await until(
      () => pieces.length,
      (now) => now > length,
    );
  }
}

describe('a spool', () => {
  it('gives back what it was given, in its order, whatever comes in between', async () => {
    for (const seed of [1, 2, 3]) {
      const one = kept();
      const random = randomNumbers(seed);
      const [given, taken] = [createHash('sha256'), createHash('sha256')];
      for (let i = 0; i < 300; i++) {
        const chunk = pattern(1 + (random() % 200_000), i);
        given.update(chunk);
        one.spool.push(chunk);
        if (random() % 10 < 3) await new Promise(setImmediate);
        if (random() % 2 === 0 && !one.spool.empty) {
          const { length } = one.pieces;
          one.spool.take();
          await until(
            () => one.pieces.length,
            (now) => now > length,
          );
        }
      }
      await takeAll(one);
      for (const piece of one.pieces) taken.update(piece);
      expect(taken.digest('hex')).toBe(given.digest('hex'));
      expect(one.losses).toEqual([]);
      one.spool.close();
      await until(
        () => one.store.used,
        (used) => used === 0,
      );
    }
  });

  it('leaves no name behind in its folder', async () => {
    const one = kept();
    one.spool.push(pattern(MIB, 0));
    await until(
      () => one.store.used,
      (used) => used === MIB,
    );
    expect(readdirSync(one.folder)).toEqual([]);
  });

  it('has no room while what came waits to be written, and says when it has', async () => {
    const one = kept();
    expect(one.spool.askRoom()).toBe(true);
    one.spool.push(pattern(MIB, 0));
    expect(one.spool.askRoom()).toBe(false);
    await until(one.rooms, (rooms) => rooms === 1);
    expect(one.spool.askRoom()).toBe(true);
  });

  it('has no room beyond the bound of its store, which counts until a file has been read', async () => {
    const one = kept({ maxSpoolBytes: MIB });
    one.spool.push(pattern(MIB, 0));
    await until(
      () => one.store.used,
      (used) => used === MIB,
    );
    expect(one.store.full).toBe(true);
    expect(one.store.counts.maxSpoolBytes).toBe(1);
    expect(one.spool.askRoom()).toBe(false);
    await takeAll(one);
    expect(one.store.used).toBe(0);
    expect(one.spool.askRoom()).toBe(true);
    expect(one.rooms()).toBe(1);
  });

  it('that cannot make a file keeps what it has, says so once, and has no room', async () => {
    const one = kept({ path: '/none' });
    one.spool.push(pattern(1000, 0));
    one.spool.push(pattern(1000, 1));
    await until(
      () => one.warnings.length,
      (length) => length > 0,
    );
    expect(one.warnings).toHaveLength(1);
    expect(one.warnings[0]).toMatch(/^ERR_SPOOL a request body cannot be kept in .*none: ENOENT/);
    expect(one.spool.askRoom()).toBe(false);
    await takeAll(one);
    expect(Buffer.concat(one.pieces)).toEqual(Buffer.concat([pattern(1000, 0), pattern(1000, 1)]));
  });

  it('that is closed in the middle gives its file back and calls nobody', async () => {
    const one = kept();
    one.spool.push(pattern(MIB, 0));
    await until(
      () => one.store.used,
      (used) => used > 0,
    );
    one.spool.push(pattern(MIB, 1));
    one.spool.take();
    one.spool.close();
    await until(
      () => one.store.used,
      (used) => used === 0,
    );
    expect(one.pieces).toEqual([]);
    expect(one.losses).toEqual([]);
  });

  it('keeps and hands out pieces of one byte by the thousand', async () => {
    const one = kept({ path: '/none' });
    const given = pattern(300_000, 0);
    for (let i = 0; i < given.length; i++) one.spool.push(given.subarray(i, i + 1));
    await until(
      () => one.warnings.length,
      (length) => length > 0,
    );
    await takeAll(one);
    expect(Buffer.concat(one.pieces).equals(given)).toBe(true);
    expect(one.pieces.length).toBeLessThan(100);
  });
});
