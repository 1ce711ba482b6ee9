import {
  closeSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '@postern/core';

/** A folder that is older than this was left by a start that was killed half-way, in milliseconds. */
const STALE = 5000;
const MADE_HERE = /^s[0-9a-f]{8}$/;

/**
 * A private folder beside a socket's path, in which the socket is made before it is moved there. There can be one of
 * them, so it is also the lock that lets one of two starts win.
 */
export class SocketLock {
  /** Where the socket is to be made. */
  readonly place: string;
  readonly #folder: string;
  readonly #fd: number;

  /**
   * @param maxPath the most bytes that the path of a socket can have
   * @throws ConfigError ERR_ADDRESS_IN_USE: another start holds it; what the file system says
   */
  constructor(path: string, maxPath: number) {
    this.#folder = join(dirname(path), `.${basename(path)}.new`);
    make(this.#folder, path);
    try {
      this.#fd = openSync(this.#folder, 'r');
    } catch (error) {
      removeFolder(this.#folder);
      throw error;
    }
    // libuv unlinks this name once more when the server closes, by then perhaps in another start's folder
    const name = `s${Math.floor(Math.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')}`;
    const plain = join(this.#folder, name);
    // it may be too long for a socket although the final path is not
    this.place = Buffer.byteLength(plain) <= maxPath ? plain : `/proc/self/fd/${this.#fd}/${name}`;
  }

  /** Nobody took this folder for a leftover. */
  get held(): boolean {
    const mine = fstatSync(this.#fd);
    const found = look(this.#folder);
    return found !== undefined && found.ino === mine.ino && found.dev === mine.dev;
  }

  release(): void {
    unlinkIfThere(this.place);
    if (this.held) removeFolder(this.#folder);
    closeSync(this.#fd);
  }
}

function look(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function make(folder: string, path: string): void {
  for (let attempt = 0; ; attempt++) {
    try {
      mkdirSync(folder, { mode: 0o700 });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (attempt === 0 && removeLeftover(folder)) continue;
      throw new ConfigError(
        'ERR_ADDRESS_IN_USE',
        `${path}: another process is starting to listen there: wait, or remove ${folder} if none is`,
        { cause: error },
      );
    }
  }
}

/** Removes what a start of the same user left, and nothing that was not made by one. */
function removeLeftover(folder: string): boolean {
  const found = look(folder);
  if (found === undefined) return true;
  if (!found.isDirectory() || found.uid !== process.geteuid?.() || Date.now() - found.mtimeMs < STALE) return false;
  return removeFolder(folder);
}

function removeFolder(folder: string): boolean {
  try {
    for (const name of readdirSync(folder)) {
      const file = join(folder, name);
      if (MADE_HERE.test(name) && look(file)?.isSocket()) unlinkIfThere(file);
    }
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // moved, or gone
  }
}
