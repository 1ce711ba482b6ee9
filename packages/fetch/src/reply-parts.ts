/** A reply as it goes to the exchange. */
export interface ReplyParts {
  readonly status: number;
  readonly reason: string;
  /** Flat [name, value, …]. */
  readonly headers: string[];
  readonly body: null | string | Uint8Array | ReadableStream;
}
