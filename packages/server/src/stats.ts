import type { LimitCounts } from '@postern/core';

/** What a server has done since it was made, in numbers. */
export interface ServerStats {
  readonly connections: {
    readonly open: number;
    readonly accepted: number;
    /** Above `maxConnections`, from a peer that `allow` does not name, or behind the stop. */
    readonly refused: number;
  };
  readonly requests: {
    /** As far as their complete heads. */
    readonly begun: number;
    /** Those of which the peer has left are among them, until the promise of their application settles. */
    readonly running: number;
  };
  /** How often each limit was hit. */
  readonly limits: Readonly<LimitCounts>;
}
