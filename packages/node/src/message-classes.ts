/**
 * Express gives each request and response the prototypes of its app. In V8 of Node.js 20 every property that an object
 * gets after such a change makes a hidden class of its own; Express sets ten, which is most of the time of a small reply.
 * What is born with these prototypes is as it would be then, and `Object.setPrototypeOf` finds nothing to change.
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What an Express app has of this. */
interface App {
  readonly request?: unknown;
  readonly response?: unknown;
}

type Class<A, M> = new (argument: A) => M;
export type RequestClass = Class<Socket, IncomingMessage>;
export type ResponseClass = Class<IncomingMessage, ServerResponse>;

/** The classes for the requests and responses of one listener. */
export class MessageClasses {
  readonly #request = new BornWith<Socket, IncomingMessage>(IncomingMessage, stubSocket as Socket);
  readonly #response = new BornWith<IncomingMessage, ServerResponse>(ServerResponse, stubRequest as IncomingMessage);

  /** @param app the listener: any function, or the app of a framework */
  requestOf(app: unknown): RequestClass {
    return this.#request.classFor((app as App | undefined)?.request);
  }

  responseOf(app: unknown): ResponseClass {
    return this.#response.classFor((app as App | undefined)?.response);
  }
}

const stubSocket = { readableHighWaterMark: 1 } as unknown;
const stubRequest = { method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1 } as unknown;

/** A class of messages with the prototype that an app has at the moment. */
class BornWith<A, M extends object> {
  readonly #base: Class<A, M>;
  readonly #stub: A;
  #prototype: unknown;
  #class: Class<A, M>;

  constructor(base: Class<A, M>, stub: A) {
    this.#base = base;
    this.#stub = stub;
    this.#class = base;
  }

  classFor(prototype: unknown): Class<A, M> {
    if (prototype !== this.#prototype) {
      this.#prototype = prototype;
      this.#class = this.#derive(prototype) ?? this.#base;
    }
    return this.#class;
  }

  /** undefined: it is no prototype of messages, or the constructor meets something in it. */
  #derive(prototype: unknown): Class<A, M> | undefined {
    if (!Object.prototype.isPrototypeOf.call(this.#base.prototype, Object(prototype))) return undefined;
    const derived = derive(this.#base, prototype as M);
    try {
      const keys = Reflect.ownKeys(new this.#base(this.#stub));
      const derivedKeys = Reflect.ownKeys(new derived(this.#stub));
      return keys.every((key, i) => derivedKeys[i] === key) ? derived : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Called as a function, which node:http allows: `Reflect.construct` with another prototype is fifty times as slow. */
function derive<A, M extends object>(base: Class<A, M>, prototype: M): Class<A, M> {
  function Message(this: M, argument: A): void {
    (base as unknown as (this: M, argument: A) => void).call(this, argument);
  }
  Message.prototype = prototype;
  return Message as unknown as Class<A, M>;
}
