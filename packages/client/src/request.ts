import { type BackEndOptions, type ClientProtocol, type Limits, limitsWith } from '@postern/core';
import { Call } from './call.ts';
import { connect } from './connect.ts';
import type { ConnectTarget } from './target.ts';

/** What is asked of a back-end. */
export interface Ask {
  /** Flat CGI [name, value, …], bytes as latin-1; CONTENT_LENGTH is the caller's to give. */
  readonly variables: readonly string[];
  /** Its chunks must not change until the answer is there. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Gives the request up: the connection is cut, which the back-end takes for a client that left. */
  readonly signal?: AbortSignal;
  /** maxReplyHeaders, maxReplyHeaderBytes, maxStderrBytes, replyHighWater and bodyHighWater hold here. */
  readonly limits?: Limits;
  /** What the address says of the back-end. */
  readonly options?: BackEndOptions;
  /** Tells the back-end not to close the connection; it is closed on this side when the answer is complete. */
  readonly keep?: boolean;
  /** Milliseconds; 5000 where it is not given. */
  readonly connectTimeout?: number;
  /** Text for an error log: what the back-end wrote there (FastCGI's STDERR), and what was odd about its answer. */
  readonly onLog?: (text: string) => void;
}

/** What a back-end answered, as far as its head; the body follows. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  /** Flat [name, value, …], bytes as latin-1. */
  readonly headers: string[];
  /** Read once. Leaving the loop gives the rest up. @throws what `request` throws, when the rest does not come */
  readonly body: AsyncIterable<Uint8Array>;
  /** The rest of the answer is not wanted: closes the connection. */
  cancel(): void;
}

/**
 * Asks one request on a connection of its own. The body is sent while the answer is read; when the answer is complete
 * the rest of the body is not sent.
 *
 * @throws PosternError ERR_ADDRESS_UNAVAILABLE; RemoteProtocolError ERR_REPLY and the protocol's own codes: the answer is
 * malformed or broke off, `statusHint` is what a gateway tells its client; AbortError: given up, or the body threw;
 * LocalProtocolError: a variable cannot be sent
 */
export async function request(protocol: ClientProtocol, target: ConnectTarget, ask: Ask): Promise<Answer> {
  const limits = ask.limits ?? limitsWith();
  const connection = protocol.client(limits, ask.options);
  const { variables, body, keep = false, signal, connectTimeout = 5000 } = ask;
  connection.send({ type: 'request', id: Call.ID, variables, keep });
  if (body instanceof Uint8Array) connection.send({ type: 'data', id: Call.ID, chunk: body });
  if (body === undefined || body instanceof Uint8Array) connection.send({ type: 'end', id: Call.ID });
  const socket = await connect(target, connectTimeout, signal);
  return new Call(connection, socket, ask, limits).answer;
}
