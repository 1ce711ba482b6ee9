import type { Environ, Exchange } from '@postern/core';
import type { FetchContext } from './fetch-context.ts';
import { LazyHeaders } from './lazy-headers.ts';
import { readBody, toArrayBuffer, toJson, toText } from './read-body.ts';
import { bodyStream } from './request-stream.ts';
import { forwardRequestState } from './undici-state.ts';

const NativeRequest = globalThis.Request;
const nothing = new Uint8Array(0);

/**
 * A Request that is built when it is needed. What handlers read of nearly every request is answered from the exchange;
 * a stream, a clone, a blob or a form builds the native Request, which is asked from then on.
 */
export class LazyRequest {
  readonly #exchange: Exchange;
  readonly #method: string;
  readonly #url: string;
  readonly #list: string[];
  readonly #hasBody: boolean;
  readonly #own: FetchContext;
  #context: unknown;
  #headers: LazyHeaders | undefined;
  #native: Request | undefined;

  /**
   * @param method as `requestMethod` gives it
   * @param url as `requestUrl` gives it
   * @param list the headers: flat [name, value, …], names in lower case
   */
  constructor(exchange: Exchange, method: string, url: string, list: string[], context: FetchContext) {
    this.#exchange = exchange;
    this.#method = method;
    this.#url = url;
    this.#list = list;
    this.#hasBody = method !== 'GET' && method !== 'HEAD' && mayHaveBody(exchange);
    this.#own = context;
    this.#context = context;
  }

  static toNative(this: void, request: Request): Request {
    return #exchange in request ? (request as unknown as LazyRequest).#build() : request;
  }

  static environOf(this: void, request: Request): Environ | undefined {
    return #exchange in request ? (request as unknown as LazyRequest).#exchange.environ : undefined;
  }

  get method(): string {
    return this.#method;
  }

  get url(): string {
    return this.#url;
  }

  get headers(): Headers {
    return this.#lazyHeaders();
  }

  get signal(): AbortSignal {
    return this.#exchange.signal;
  }

  get body(): ReadableStream | null {
    return this.#hasBody ? this.#build().body : null;
  }

  get bodyUsed(): boolean {
    if (this.#native !== undefined) return this.#native.bodyUsed;
    return this.#hasBody && this.#exchange.input.used;
  }

  text(): Promise<string> {
    return this.#native === undefined ? this.#consume(toText) : this.#native.text();
  }

  json(): Promise<unknown> {
    return this.#native === undefined ? this.#consume(toJson) : this.#native.json();
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#native === undefined ? this.#consume(toArrayBuffer) : this.#native.arrayBuffer();
  }

  bytes(): Promise<Uint8Array> {
    return this.arrayBuffer().then(toView);
  }

  /** srvx and h3 keep what belongs to a request here; h3 shows it as `event.context`. */
  get context(): unknown {
    return this.#context;
  }

  set context(context: unknown) {
    this.#context = context;
  }

  /** As srvx has it, for `event.waitUntil` of h3. */
  get waitUntil(): (promise: unknown) => void {
    return this.#own.waitUntil;
  }

  /** As srvx has it, for `getRequestIP` of h3. */
  get ip(): string | undefined {
    return this.#own.remoteAddr;
  }

  #lazyHeaders(): LazyHeaders {
    if (this.#headers === undefined) this.#headers = new LazyHeaders(this.#list);
    return this.#headers;
  }

  #consume<T>(convert: (bytes: Uint8Array) => T): Promise<T> {
    if (!this.#hasBody) return Promise.resolve(nothing).then(convert);
    const { input } = this.#exchange;
    if (input.used) return Promise.reject(new TypeError('Body is unusable: Body has already been read'));
    return readBody(input, convert);
  }

  #build(): Request {
    if (this.#native !== undefined) return this.#native;
    const headers = this.#lazyHeaders();
    const init: RequestInit = { method: this.#method, headers: headers.native(), signal: this.#exchange.signal };
    const used = this.bodyUsed;
    if (this.#hasBody) {
      init.body = used ? new ReadableStream() : bodyStream(this.#exchange.input);
      init.duplex = 'half';
    }
    this.#native = new NativeRequest(this.#url, init);
    // a body that was read without a stream counts as read
    if (used) void this.#native.body?.cancel();
    headers.adopt(this.#native.headers);
    return this.#native;
  }
}

/**
 * The native Request behind the one that a fetch handler was given, built if need be; any other Request as it is. From
 * Node 24 on `new Request(request)` and `fetch(request)` take no other: there the state of a Request is private to it.
 */
export function toRequest(request: Request): Request {
  return LazyRequest.toNative(request);
}

/** The environ of a request that a fetch handler was given; undefined: another Request. */
export function environOf(request: Request): Environ | undefined {
  return LazyRequest.environOf(request);
}

function mayHaveBody(exchange: Exchange): boolean {
  const { contentLength } = exchange.head;
  return contentLength > 0 || (contentLength < 0 && !exchange.inputComplete);
}

function toView(buffer: ArrayBuffer): Uint8Array {
  return new Uint8Array(buffer);
}

/**
 * What is left of the native prototype: attributes have the value they have in every Request made of a URL, a method,
 * headers, a signal and a body; methods are called on the native Request.
 */
function inherit(prototype: object): void {
  const sample = new NativeRequest('http://localhost/') as unknown as Record<string, unknown>;
  for (const [name, native] of Object.entries(Object.getOwnPropertyDescriptors(NativeRequest.prototype))) {
    if (name === 'constructor') continue;
    const own = Object.getOwnPropertyDescriptor(prototype, name);
    const { enumerable } = native;
    if (own !== undefined) Object.defineProperty(prototype, name, { ...own, enumerable });
    else if (native.get !== undefined) {
      const value = sample[name];
      Object.defineProperty(prototype, name, { get: () => value, enumerable, configurable: true });
    } else if (typeof native.value === 'function') {
      const call = function (this: Request, ...args: unknown[]): unknown {
        return Reflect.apply(native.value, LazyRequest.toNative(this), args);
      };
      Object.defineProperty(prototype, name, { value: call, enumerable, configurable: true, writable: true });
    }
  }
  Object.setPrototypeOf(prototype, NativeRequest.prototype);
  Object.defineProperty(prototype, 'constructor', { value: NativeRequest });
  forwardRequestState(prototype, (lazy) => LazyRequest.toNative(lazy as Request));
}

inherit(LazyRequest.prototype);
