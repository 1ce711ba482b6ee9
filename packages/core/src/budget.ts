import { type ErrorCode, RemoteProtocolError } from './errors.ts';
import type { LimitName, Limits } from './limits.ts';

/** How often a peer may do, on one connection, what costs it nothing and brings no request nearer. */
export class Budget {
  readonly #limit: LimitName;
  readonly #most: number;
  readonly #code: ErrorCode;
  readonly #what: string;
  #spent = 0;

  /** @param what is spent, as the log names it */
  constructor(limits: Limits, limit: LimitName, code: ErrorCode, what: string) {
    this.#limit = limit;
    this.#most = limits[limit];
    this.#code = code;
    this.#what = what;
  }

  /** @throws RemoteProtocolError once more than the limit: the connection ends */
  spend(): void {
    if (++this.#spent <= this.#most) return;
    const limit = this.#limit;
    throw new RemoteProtocolError(this.#code, `more than ${this.#most} ${this.#what} (${limit})`, { limit });
  }

  /** It begins anew. */
  renew(): void {
    this.#spent = 0;
  }
}
