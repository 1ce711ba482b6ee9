import type { AbortError } from '@postern/core';

/** One connection, as the server that has it sees it. */
export interface ServedConnection {
  /** Nothing runs and nothing has begun. */
  readonly idle: boolean;
  /** Something is lost when it is cut. */
  readonly busy: boolean;
  /** The clock ticked. */
  check(): void;
  /** No further request: what runs ends as it would, then the connection closes. */
  retire(): void;
  /** What runs is cut, and must not look complete. */
  cut(error: AbortError): void;
}
