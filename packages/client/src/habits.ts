import { type ClientProtocol, PosternError } from '@postern/core';
import type { Connecting } from './request.ts';
import type { ConnectTarget } from './target.ts';
import { getValues } from './values.ts';

/** Milliseconds: libfcgi, which many applications are made with, does not answer. */
const PATIENCE = 1000;
/** Milliseconds after which what was learned may be asked, or tried, again. */
const AGAIN = 60_000;
/** A back-end that keeps no connection is tried ever more rarely: the pause doubles so many times at most. */
const DOUBLINGS = 6;

/**
 * What a session has learned of its back-end: how many requests at once it takes on a connection, and whether it keeps one.
 * A back-end may be busy when it is asked, and another may run in its place later: nothing of it holds for ever.
 */
export class Habits {
  readonly #protocol: ClientProtocol;
  readonly #target: ConnectTarget;
  readonly #how: Pick<Connecting, 'connectTimeout' | 'options'>;
  /** There is nothing to ask: it was told, or the protocol has no such question. */
  #settled: boolean;
  #atOnce: number | undefined;
  #askedAt = 0;
  #asking = false;
  /** The latest question got no answer. */
  #unanswered = false;
  /** Connections in a row that were closed right behind their first answer. */
  #hasty = 0;
  #hastyAt = 0;

  /** @param atOnce undefined: the back-end is asked */
  constructor(
    protocol: ClientProtocol,
    target: ConnectTarget,
    how: Pick<Connecting, 'connectTimeout' | 'options'>,
    atOnce: number | undefined,
  ) {
    this.#protocol = protocol;
    this.#target = target;
    this.#how = how;
    this.#atOnce = atOnce;
    this.#settled = atOnce !== undefined;
  }

  /** Requests at once on one connection; undefined: nobody has asked. */
  get atOnce(): number | undefined {
    return this.#atOnce;
  }

  /** It is time to ask again, beside the requests. */
  get stale(): boolean {
    return !this.#settled && !this.#asking && performance.now() - this.#askedAt >= AGAIN;
  }

  /** The number is a guess. */
  get unanswered(): boolean {
    return this.#unanswered;
  }

  /** Never rejects: of who does not answer holds what he said before, or one request at a time. */
  async learn(): Promise<number> {
    const { connectTimeout, options } = this.#how;
    this.#asking = true;
    this.#askedAt = performance.now();
    try {
      const how = { timeout: PATIENCE, connectTimeout, options };
      this.#atOnce = (await getValues(this.#protocol, this.#target, how)).atOnce;
      this.#unanswered = false;
    } catch (error) {
      this.#unanswered = true;
      this.#settled = error instanceof PosternError && error.code === 'ERR_PROTOCOL_LACKS';
    }
    this.#asking = false;
    this.#atOnce ??= 1;
    return this.#atOnce;
  }

  /** Whether the next connection is to be kept. */
  get keeps(): boolean {
    const pause = AGAIN * 2 ** Math.min(this.#hasty - 1, DOUBLINGS);
    return this.#hasty === 0 || performance.now() - this.#hastyAt >= pause;
  }

  /** A connection was closed behind its first answer, and none has stayed open since. */
  get doubtful(): boolean {
    return this.#hasty > 0;
  }

  noteHaste(): void {
    this.#hasty++;
    this.#hastyAt = performance.now();
  }

  noteKept(): void {
    this.#hasty = 0;
  }
}
