import { isThenable } from '@postern/core';

/** The requests of a server, in numbers. */
export class Load {
  begun = 0;
  running = 0;

  begin(): void {
    this.begun++;
    this.running++;
  }

  /**
   * A request is over.
   * @param work what its handler returned: if that is a promise, and the request was given up, the application works on
   */
  over(work: unknown, givenUp: boolean): void {
    if (givenUp && isThenable(work)) work.then(this.#end, this.#end);
    else this.running--;
  }

  readonly #end = (): void => {
    this.running--;
  };
}
