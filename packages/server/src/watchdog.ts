import { AbortError, type ErrorCode, type LimitCounts, type LimitName, type Limits } from '@postern/core';

/**
 * How often silence is looked for, in milliseconds. Times are taken from the latest tick, so a stamp may be one tick
 * old: a clock never runs out early, and at most two ticks late.
 */
export const TICK = 250;
/** What is counted by the time, and the pace of a body, is so over ten seconds. */
const PERIOD = 10_000;

/** From when on, and at how many bytes, a body is measured. */
export interface BodyPace {
  readonly since: number;
  readonly bytes: number;
}

/** A request whose clocks run. */
export interface WatchedExchange {
  readonly id: number;
  /** The application waits for body bytes. */
  readonly starved: boolean;
  /** The reply has not begun. */
  readonly waiting: boolean;
  /** From when on the application works. */
  readonly since: number;
  /** When body bytes came, or were waited for. */
  bodySince: number;
  /** Body bytes that have come. */
  readonly received: number;
  /** undefined: the application does not wait for them. */
  pace: BodyPace | undefined;
  end(error: AbortError): void;
}

/** The writing side of a connection. */
export interface WatchedOutlet {
  /** Something that was written has not gone to the kernel. */
  readonly unsent: boolean;
  /** How many bytes the kernel has taken since the beginning. */
  readonly taken: number;
  /** Our half is closed, what the peer still sends is thrown away. */
  readonly lingering: boolean;
}

/** What the watchdog sees of a connection, and what it may do to it. */
export interface Watched {
  readonly limits: Limits;
  readonly counts: LimitCounts;
  readonly running: Iterable<WatchedExchange>;
  readonly outlet: WatchedOutlet;
  /** Nothing runs and nothing has begun. */
  readonly idle: boolean;
  /** The socket is read; false: the application holds a body back. */
  readonly reading: boolean;
  /** The id whose body, or file, is not taken, so that the socket is not read; 0: none. */
  readonly blocker?: number;
  /** Other requests wait behind it. */
  readonly shared?: boolean;
  expired(code: ErrorCode, message: string, id?: number): void;
  /** The heads that have begun are answered, or the connection closes. */
  expireHeads(): void;
  /** No further request. */
  retire(): void;
  /** The peer does not read: what runs is cut. */
  giveUp(error: AbortError): void;
  /** The peer does not close: we do. */
  leave(): void;
}

/** The clocks of one connection and of what runs on it. */
export class Watchdog {
  /** When the head that is on its way began; -1: none is. */
  #headSince = -1;
  #quietSince: number;
  #lingerSince = -1;
  /** When the kernel last took something of what is unsent; -1: nothing is. */
  #writeSince = -1;
  #taken = 0;
  #periodSince: number;

  constructor(now: number) {
    this.#quietSince = now;
    this.#periodSince = now;
  }

  /** Bytes came, or a request ended. */
  stir(now: number): void {
    this.#quietSince = now;
  }

  /** A head is complete. */
  headDone(): void {
    this.#headSince = -1;
  }

  /** What came is handled. `pending`: the last of it is the beginning of a request. */
  settle(pending: boolean, now: number): void {
    if (!pending) this.#headSince = -1;
    else if (this.#headSince < 0) this.#headSince = now;
  }

  /** True once in ten seconds: what is counted by the time begins anew. */
  periodEnds(now: number): boolean {
    if (now - this.#periodSince < PERIOD) return false;
    this.#periodSince = now;
    return true;
  }

  linger(now: number): void {
    this.#lingerSince = now;
  }

  /** Nothing has come for so long that nothing is on its way. */
  isQuiet(limits: Limits, now: number): boolean {
    return now - this.#quietSince >= limits.lingerTimeout + TICK;
  }

  /** The clock ticked: everything that has been silent for too long is ended. */
  check(watched: Watched, now: number): void {
    if (this.#checkWriting(watched, now)) return;
    const { limits, counts, outlet } = watched;
    if (outlet.lingering) {
      if (outlet.unsent || !isLate(now, this.#lingerSince, limits.lingerTimeout)) return;
      counts.lingerTimeout++;
      watched.leave();
      return;
    }
    // what we do not read is not the peer's silence
    if (!watched.reading && this.#headSince >= 0) this.#headSince = now;
    if (this.#headSince >= 0 && isLate(now, this.#headSince, limits.headersTimeout)) {
      this.#headSince = -1;
      counts.headersTimeout++;
      watched.expired('ERR_TIMEOUT_HEAD', `the head of a request took longer than ${limits.headersTimeout} ms`);
      watched.expireHeads();
    } else if (watched.idle && isLate(now, this.#quietSince, limits.keepAliveTimeout)) {
      counts.keepAliveTimeout++;
      watched.retire();
      // where the end is on its way, once is enough
      this.#quietSince = now;
    }
    for (const exchange of watched.running) checkExchange(watched, exchange, now);
  }

  /** True: the peer was given up. */
  #checkWriting(watched: Watched, now: number): boolean {
    const { limits, outlet } = watched;
    if (!outlet.unsent) {
      this.#writeSince = -1;
      return false;
    }
    const { taken } = outlet;
    if (this.#writeSince < 0 || taken !== this.#taken) {
      this.#writeSince = now;
      this.#taken = taken;
      return false;
    }
    if (!isLate(now, this.#writeSince, limits.writeTimeout)) return false;
    watched.counts.writeTimeout++;
    watched.expired('ERR_TIMEOUT_WRITE', `the peer read nothing for ${limits.writeTimeout} ms`);
    watched.giveUp(new AbortError('ERR_TIMEOUT_WRITE', 'the peer does not read the reply'));
    return true;
  }
}

/** Ends a request whose body stalled, or comes too slowly, or whose application does not answer. */
export function checkExchange(
  watched: Pick<Watched, 'limits' | 'counts' | 'reading' | 'blocker' | 'shared' | 'expired'>,
  exchange: WatchedExchange,
  now: number,
): void {
  const { bodyIdleTimeout, minBodyRate, appTimeout, stallTimeout } = watched.limits;
  const blocks = watched.blocker === exchange.id;
  // a filter that waits for its file behind a body that it does not read waits for itself
  const stuck = blocks && exchange.starved;
  if (blocks && watched.shared && isLate(now, exchange.bodySince, stallTimeout))
    expire(
      watched,
      exchange,
      'stallTimeout',
      'ERR_TIMEOUT_STALL',
      'a body that is not read keeps other requests waiting',
      503,
    );
  else if (exchange.starved && !stuck) {
    if (!watched.reading) {
      exchange.bodySince = now;
      exchange.pace = undefined;
    } else if (isLate(now, exchange.bodySince, bodyIdleTimeout))
      expire(watched, exchange, 'bodyIdleTimeout', 'ERR_TIMEOUT_BODY', 'the request body stalled', 408);
    else if (minBodyRate > 0 && isTooSlow(exchange, minBodyRate, now))
      expire(watched, exchange, 'minBodyRate', 'ERR_TIMEOUT_BODY', 'the request body comes too slowly', 408);
  } else {
    exchange.pace = undefined;
    if ((exchange.waiting || stuck) && appTimeout > 0 && isLate(now, exchange.since, appTimeout))
      expire(watched, exchange, 'appTimeout', 'ERR_TIMEOUT_APP', 'the application did not answer in time', 504);
  }
}

/** Measures a body over each ten seconds in which the application does nothing but wait for it. */
function isTooSlow(exchange: WatchedExchange, rate: number, now: number): boolean {
  const { received, pace } = exchange;
  if (pace !== undefined && now - pace.since < PERIOD) return false;
  exchange.pace = { since: now, bytes: received };
  return pace !== undefined && (received - pace.bytes) * 1000 < rate * (now - pace.since);
}

function expire(
  watched: Pick<Watched, 'counts' | 'expired'>,
  exchange: WatchedExchange,
  limit: LimitName,
  code: ErrorCode,
  message: string,
  status: number,
): void {
  watched.counts[limit]++;
  watched.expired(code, message, exchange.id);
  exchange.end(new AbortError(code, message, status));
}

function isLate(now: number, since: number, limit: number): boolean {
  return now - since >= limit + TICK;
}
