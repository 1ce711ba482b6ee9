import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/** How often is looked, in milliseconds. */
const PAUSE = 1000;

/**
 * A connection for which there is no descriptor is closed by libuv, which tells nobody: so it is tried now and then
 * whether there is one left.
 */
export class DescriptorWatch {
  #latest = Number.NEGATIVE_INFINITY;

  /** EMFILE or ENFILE: nothing can be opened; undefined: something can, or it is not time yet to look again. */
  look(now: number): string | undefined {
    if (now - this.#latest < PAUSE) return undefined;
    this.#latest = now;
    try {
      closeSync(openSync(devNull, 'r'));
      return undefined;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === 'EMFILE' || code === 'ENFILE' ? code : undefined;
    }
  }
}
