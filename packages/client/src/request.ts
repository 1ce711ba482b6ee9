import { type BackEndOptions, type ClientProtocol, type Limits, limitsWith, type Role } from '@postern/core';
import { Call, sendMemory, sendRequest } from './call.ts';
import { checkQuestion } from './check-question.ts';
import { connect } from './connect.ts';
import type { ConnectTarget } from './target.ts';
import { Transport } from './transport.ts';

/** What is asked of a back-end. */
export interface Question {
  /** Flat CGI [name, value, …], bytes as latin-1; CONTENT_LENGTH is the caller's to give. */
  readonly variables: readonly string[];
  /** Its chunks must not change until the answer is there. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** FastCGI alone has other roles than `responder`. */
  readonly role?: Role;
  /** What a filter is to work on; its length and age are variables: FCGI_DATA_LENGTH, FCGI_DATA_LAST_MOD. */
  readonly data?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Gives the request up: where it has its connection to itself that is cut, which the back-end takes for a client that left. */
  readonly signal?: AbortSignal;
  /** Milliseconds of silence of the back-end while it is waited for; 60,000 where it is not given, 0: no bound. */
  readonly timeout?: number;
  /** Text for an error log: what the back-end wrote there (FastCGI's STDERR), and what was odd about its answer. */
  readonly onLog?: (text: string) => void;
}

/** How a back-end is connected to. */
export interface Connecting {
  /** maxReplyHeaders, maxReplyHeaderBytes, maxStderrBytes, replyHighWater and bodyHighWater hold here. */
  readonly limits?: Limits;
  /** What the address says of the back-end. */
  readonly options?: BackEndOptions;
  /** Milliseconds; 5000 where it is not given. */
  readonly connectTimeout?: number;
}

/** One request on a connection of its own. */
export interface Ask extends Question, Connecting {
  /** Tells the back-end not to close the connection; it is closed on this side when the answer is complete. */
  readonly keep?: boolean;
}

/** What a back-end answered, as far as its head; the body follows. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  /** Flat [name, value, …], bytes as latin-1. */
  readonly headers: string[];
  /** Read once. Leaving the loop gives the rest up. @throws what `request` throws, when the rest does not come */
  readonly body: AsyncIterable<Uint8Array>;
  /** The rest of the answer is not wanted: gives the request up. */
  cancel(): void;
}

/**
 * Asks one request on a connection of its own. The body is sent while the answer is read; when the answer is complete
 * the rest of the body is not sent.
 *
 * @throws PosternError ERR_ADDRESS_UNAVAILABLE; RemoteProtocolError ERR_REPLY, ERR_TIMEOUT_REPLY, ERR_BACKEND_* and the
 * protocol's own codes: the answer is malformed, broke off, or did not come: `statusHint` is what a gateway tells its
 * client; AbortError: given up, or the body threw; LocalProtocolError, ConfigError: what cannot be sent
 */
export async function request(protocol: ClientProtocol, target: ConnectTarget, ask: Ask): Promise<Answer> {
  const { keep = false, limits = limitsWith(), signal, connectTimeout = 5000 } = ask;
  checkQuestion(ask);
  const connection = protocol.client(limits, ask.options);
  sendRequest(connection, 1, ask, keep);
  sendMemory(connection, 1, ask);
  const socket = await connect(target, connectTimeout, signal);
  const transport = new Transport(connection, socket);
  const { answer } = new Call(transport, 1, ask, limits);
  transport.flush();
  return answer;
}
