import { lstatSync, readFileSync, renameSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError } from '@postern/core';

/** What an older run has left there, and nothing else is replaced: addresses, one a line. */
const OURS = /^(?:(?:fastcgi|scgi|ajp|uwsgi|https?|auto)(?:\+[a-z]+)?:\S*\n)*$/;
const LONGEST = 65_536;

/** A file that exists while an application is served; it holds the addresses, one a line. */
export class ReadyFile {
  readonly #path: string;
  #made: Stats | undefined;

  /** @throws ConfigError ERR_OPTION: it cannot be written there, or something else is there */
  constructor(path: string) {
    this.#path = resolve(path);
    this.#checkFolder();
    this.#removeOld();
  }

  #refuse(why: string, cause?: unknown): never {
    throw new ConfigError('ERR_OPTION', `--ready-file ${this.#path}: ${why}`, { cause });
  }

  #checkFolder(): void {
    const folder = dirname(this.#path);
    let stats: Stats;
    try {
      stats = statSync(folder);
    } catch (error) {
      this.#refuse(`its folder ${folder} does not exist: make it first`, error);
    }
    if (!stats.isDirectory()) this.#refuse(`${folder} is no folder: choose another path`);
  }

  #removeOld(): void {
    const found = lstatSync(this.#path, { throwIfNoEntry: false });
    if (found === undefined) return;
    if (!found.isFile() || found.size > LONGEST || !OURS.test(readFileSync(this.#path, 'latin1')))
      this.#refuse('something else is there, which is left alone: choose another path or remove it');
    this.#attempt(() => rmSync(this.#path));
  }

  /** Whoever sees the file sees all of it. @throws ConfigError ERR_OPTION */
  write(addresses: readonly string[]): void {
    const made = `${this.#path}.${process.pid}.tmp`;
    this.#attempt(() => {
      writeFileSync(made, addresses.map((address) => `${address}\n`).join(''), { flag: 'wx' });
      this.#made = lstatSync(made);
      renameSync(made, this.#path);
    });
  }

  #attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#refuse(`it cannot be written (${(error as NodeJS.ErrnoException).code}): choose another path`, error);
    }
  }

  /** Removes the file if it is still the one that was made here. Never throws. */
  remove(): void {
    if (this.#made === undefined) return;
    try {
      const { dev, ino } = lstatSync(this.#path);
      if (dev === this.#made.dev && ino === this.#made.ino) rmSync(this.#path);
    } catch {
      // it is gone, or its folder
    }
  }
}
