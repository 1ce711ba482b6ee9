import { atEnd } from './serving.ts';

/** Looks at the memory of this process at each turn of the event loop, from now on. */
export class MemoryWatch {
  readonly #before = process.memoryUsage();
  #rss = 0;
  #external = 0;
  #on = true;
  samples = 0;

  constructor() {
    this.#look();
    atEnd(() => this.stop());
  }

  readonly #look = (): void => {
    const { rss, external } = process.memoryUsage();
    this.#rss = Math.max(this.#rss, rss - this.#before.rss);
    this.#external = Math.max(this.#external, external - this.#before.external);
    this.samples++;
    if (this.#on) setImmediate(this.#look);
  };

  /** The most that was taken since the beginning, in bytes. */
  stop(): { rss: number; external: number } {
    this.#on = false;
    return { rss: this.#rss, external: this.#external };
  }
}
