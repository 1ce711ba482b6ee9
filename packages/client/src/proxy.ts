import {
  type BackEndOptions,
  type ClientProtocol,
  describeError,
  type Exchange,
  type Handler,
  PosternError,
  RemoteProtocolError,
  type RequestBody,
  reasonOf,
  sendPieces,
} from '@postern/core';
import { type Answer, request } from './request.ts';
import type { ConnectTarget } from './target.ts';

export interface ProxyOptions {
  /** What the address says of the back-end. */
  readonly options?: BackEndOptions;
  /** Milliseconds; 5000 where it is not given. */
  readonly connectTimeout?: number;
  /** Milliseconds; see `Question.timeout`. */
  readonly timeout?: number;
  /** Text for an error log: see `Question.onLog`. Without it the error sink of the exchange takes it. */
  readonly onLog?: (text: string) => void;
  /** Why a request was answered 502 or 503. Without it the error sink of the exchange takes one line. */
  readonly onError?: (error: unknown) => void;
}

/**
 * A handler that forwards each exchange to a back-end, streamed both ways. A back-end that gives no proper answer is 502,
 * with a page that tells no cause; one that fails within its answer breaks the reply off, and `Exchange.fail` is told.
 */
export function proxy(protocol: ClientProtocol, target: ConnectTarget, options: ProxyOptions = {}): Handler {
  return function handleProxy(exchange: Exchange): void {
    void forward(exchange, protocol, target, options);
  };
}

/** Never rejects. */
async function forward(
  exchange: Exchange,
  protocol: ClientProtocol,
  target: ConnectTarget,
  { options, connectTimeout, timeout, onLog, onError }: ProxyOptions,
): Promise<void> {
  try {
    let answer: Answer;
    try {
      answer = await request(protocol, target, {
        variables: variablesOf(exchange),
        body: exchange.input.complete ? undefined : new Upload(exchange.input),
        signal: exchange.signal,
        options,
        connectTimeout,
        timeout,
        onLog: onLog ?? ((text) => exchange.errors.write(text)),
      });
    } catch (error) {
      if (exchange.over) return;
      if (onError === undefined) exchange.errors.write(`${describe(error)}\n`);
      else onError(error);
      refuse(exchange, error);
      return;
    }
    const { status, reason, headers, body } = answer;
    await sendPieces(exchange, exchange.start(status, reason, endToEnd(headers)), body);
  } catch (error) {
    exchange.fail(error);
  }
}

/** Of a body of unknown length the back-end is told as nginx tells it, which no application sees. */
function variablesOf({ head, input }: Exchange): string[] {
  const variables = head.variables();
  if (head.contentLength < 0 && !input.complete) variables.push('HTTP_TRANSFER_ENCODING', 'chunked');
  return variables;
}

/** Without the fields that Connection names: they are of the back-end's connection. The others of that kind never go out. */
function endToEnd(headers: string[]): string[] {
  const named = new Set<string>();
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i].toLowerCase() !== 'connection') continue;
    for (const name of headers[i + 1].toLowerCase().split(/[\s,]+/)) named.add(name);
  }
  return named.size === 0 ? headers : headers.filter((_, i) => !named.has(headers[i - (i % 2)].toLowerCase()));
}

function describe(error: unknown): string {
  return error instanceof PosternError ? `${error.code}: ${error.message}` : describeError(error);
}

function statusOf(error: unknown): number {
  if (error instanceof RemoteProtocolError) return error.statusHint >= 500 ? error.statusHint : 502;
  // the client's doing: a body of unknown length that the protocol cannot carry, or too large a head
  if (error instanceof PosternError && error.code === 'ERR_ENV_LENGTH') return 411;
  if (error instanceof PosternError && (error.code === 'ERR_ENV_BYTES' || error.code === 'ERR_ENV_ITEM')) return 431;
  return 502;
}

/** The error page of a gateway: a bare status for the client. */
function refuse(exchange: Exchange, error: unknown): void {
  const status = statusOf(error);
  const title = `${status} ${reasonOf(status)}`;
  const page = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>${title}</title>
<body style="font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem">
<h1>${title}</h1>
<p>The front-end got no proper answer from the app behind it. The cause stands in its log.</p>
</html>
`;
  exchange.respond(
    status,
    reasonOf(status),
    ['Content-Type', 'text/html; charset=utf-8', 'Cache-Control', 'no-store'],
    page,
  );
}

/** The body of a request. When the back-end does not want the rest it is thrown away, so that the answer is read. */
class Upload implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #body: RequestBody;
  readonly #reader: AsyncIterator<Uint8Array, undefined>;

  constructor(body: RequestBody) {
    this.#body = body;
    this.#reader = body[Symbol.asyncIterator]();
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    return this.#reader.next();
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.#reader.return?.();
    this.#body.discard();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return this;
  }
}
