import { Readable } from 'node:stream';
import { reasonOf } from '@postern/core';
import { headerList, listHas, pairsOf } from './header-list.ts';
import { LazyHeaders } from './lazy-headers.ts';
import type { ReplyParts } from './reply-parts.ts';

const NativeResponse = globalThis.Response;

const REASON = /^[\t -~\x80-\xff]*$/;
const TEXT = 'text/plain;charset=UTF-8';
const JSON_TYPE = 'application/json';

/** Text that `Response.json` has made. */
class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What the streams are made of that native Responses have made for light ones. */
const sources = new WeakMap<object, string | Uint8Array>();

interface ResponseFields {
  readonly headers?: unknown;
  readonly status?: unknown;
  readonly statusText?: unknown;
}

// applications see the class: what they have no use for does not hang on it
let isLight: (value: unknown) => value is LightResponse;
/** The Response that Node's own methods and getters take. */
export let nativeResponse: (response: Response) => Response;
/** What is to be sent of a light Response; undefined: another Response, or the native one has been built. */
export let lightParts: (response: object) => ReplyParts | undefined;

/**
 * A Response that keeps its status, headers and text or bytes as they were given. The native one is built when its body,
 * a clone or anything else than status and headers is asked for. What is not text or bytes is native from the start.
 */
class LightResponse {
  static {
    isLight = (value): value is LightResponse => typeof value === 'object' && value !== null && #native in value;
    nativeResponse = (response) => (isLight(response) ? response.#build() : response);
    lightParts = (response) => {
      if (!(#native in response) || response.#native !== undefined) return undefined;
      return {
        status: response.#status,
        reason: response.#statusText || reasonOf(response.#status),
        headers: response.#headers?.flat() ?? response.#list,
        body: response.#body,
      };
    };
  }

  #native: Response | undefined;
  #headers: LazyHeaders | undefined;
  #status = 200;
  #statusText = '';
  #list: string[] = [];
  #body: string | Uint8Array | null = null;

  constructor(body: unknown = null, init?: unknown) {
    const isText = typeof body === 'string';
    if (!isText && body !== null && !isBytes(body) && !(body instanceof JsonText)) {
      this.#native = new NativeResponse(body as string, init as ResponseInit);
      return;
    }
    // each of them is read once: they may be getters
    const { headers, status, statusText } = readInit(init);
    const list = headerList(headers);
    const type = isText ? TEXT : body instanceof JsonText ? JSON_TYPE : undefined;
    if (type !== undefined && !listHas(list, 'content-type')) list.push('content-type', type);
    const source = isText || body === null ? body : body instanceof JsonText ? body.text : Buffer.from(body);
    if (!isStatus(status, source) || !isReason(statusText)) {
      this.#native = new NativeResponse(source, { status, statusText, headers: pairsOf(list) } as ResponseInit);
      return;
    }
    if (status !== undefined) this.#status = status;
    if (statusText !== undefined) this.#statusText = statusText;
    this.#list = list;
    this.#body = source;
  }

  static json(data: unknown, init: unknown = {}): LightResponse {
    const text: string | undefined = JSON.stringify(data);
    if (text === undefined) throw new TypeError('Value is not JSON serializable');
    return new LightResponse(new JsonText(text), init);
  }

  get status(): number {
    return this.#native === undefined ? this.#status : this.#native.status;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get statusText(): string {
    return this.#native === undefined ? this.#statusText : this.#native.statusText;
  }

  get headers(): Headers {
    if (this.#headers !== undefined) return this.#headers;
    if (this.#native !== undefined) return this.#native.headers;
    this.#headers = new LazyHeaders(this.#list);
    return this.#headers;
  }

  get body(): ReadableStream | null {
    if (this.#native !== undefined) return this.#native.body;
    const source = this.#body;
    if (source === null) return null;
    const { body } = this.#build();
    if (body !== null) sources.set(body, source);
    return body;
  }

  get bodyUsed(): boolean {
    return this.#native?.bodyUsed === true;
  }

  #build(): Response {
    if (this.#native !== undefined) return this.#native;
    const headers = (this.#headers ?? new LazyHeaders(this.#list)).native();
    const native = new NativeResponse(this.#body, { status: this.#status, statusText: this.#statusText, headers });
    // the application took the type of its text away
    if (!headers.has('content-type')) native.headers.delete('content-type');
    this.#headers?.adopt(native.headers);
    this.#native = native;
    this.#body = null;
    return native;
  }
}

const nothing: ResponseFields = {};

function readInit(init: unknown): ResponseFields {
  if (init === undefined || init === null) return nothing;
  if (typeof init !== 'object' && typeof init !== 'function')
    throw new TypeError(`Response constructor: init is ${typeof init}, not an object`);
  return init;
}

/** A copy of them is taken. Where others may write meanwhile, that is left to the native Response. */
function isBytes(body: unknown): body is Uint8Array<ArrayBuffer> {
  return body instanceof Uint8Array && body.buffer instanceof ArrayBuffer;
}

/** Anything else is converted, or refused, by the native Response. */
function isStatus(status: unknown, body: unknown): status is number | undefined {
  if (status === undefined || status === 200) return true;
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599) return false;
  return body === null || (status !== 204 && status !== 205 && status !== 304);
}

function isReason(text: unknown): text is string | undefined {
  return text === undefined || (typeof text === 'string' && REASON.test(text));
}

const isOrdinaryInstance = Function.prototype[Symbol.hasInstance];

/** Responses that Node makes itself count too; a class that extends this one has its own instances alone. */
function isInstance(this: unknown, value: unknown): boolean {
  return this === LightResponse ? value instanceof NativeResponse : isOrdinaryInstance.call(this as never, value);
}

/**
 * What is left of the native prototype is asked of the native Response. A getter that was taken off this prototype may be
 * called with a Response that Node made itself.
 */
function inherit(prototype: object): void {
  const natives = Object.getOwnPropertyDescriptors(NativeResponse.prototype) as Record<PropertyKey, PropertyDescriptor>;
  for (const name of Reflect.ownKeys(natives)) {
    const { get, value, enumerable } = natives[name];
    const own = Object.getOwnPropertyDescriptor(prototype, name)?.get;
    if (get !== undefined) {
      const read = function (this: Response): unknown {
        return own !== undefined && isLight(this) ? own.call(this) : get.call(nativeResponse(this));
      };
      Object.defineProperty(prototype, name, { get: read, enumerable, configurable: true });
    } else if (typeof value === 'function' && name !== 'constructor') {
      const call = function (this: Response, ...args: unknown[]): unknown {
        return Reflect.apply(value, nativeResponse(this), args);
      };
      Object.defineProperty(prototype, name, { value: call, enumerable, configurable: true, writable: true });
    }
  }
  Object.setPrototypeOf(prototype, NativeResponse.prototype);
}

inherit(LightResponse.prototype);
Object.defineProperty(LightResponse, Symbol.hasInstance, { value: isInstance });
// `redirect` and `error` are Node's own
Object.setPrototypeOf(LightResponse, NativeResponse);
Object.defineProperty(LightResponse, 'name', { value: 'Response', configurable: true });
Object.defineProperty(LightResponse, 'json', { enumerable: true });

/**
 * The text or bytes that a stream is made of which came from `body` of a light Response: Hono makes a new Response of it to
 * change a header. undefined: another stream, or not all of it is there any more.
 */
export function streamSource(stream: ReadableStream | null): string | Uint8Array | undefined {
  if (stream === null) return undefined;
  const source = sources.get(stream);
  return source === undefined || stream.locked || Readable.isDisturbed(stream as never) ? undefined : source;
}

/**
 * Makes the light class the global Response, unless Node's own has been replaced already. The native prototype names it as
 * its constructor, so that what `fetch` gives has `constructor === Response` as before.
 */
export function installLightResponse(): void {
  if (globalThis.Response !== NativeResponse) return;
  const hidden = { value: LightResponse, writable: true, enumerable: false, configurable: true };
  Object.defineProperty(globalThis, 'Response', hidden);
  Object.defineProperty(NativeResponse.prototype, 'constructor', hidden);
}
