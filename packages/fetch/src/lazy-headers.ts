import { type InspectOptions, inspect } from 'node:util';
import { isToken } from '@postern/core';

const NativeHeaders = globalThis.Headers;

/**
 * The headers of a request: `get` and `has` look into the list from the wire, everything else builds the native Headers,
 * which is asked from then on.
 */
export class LazyHeaders implements Headers {
  readonly #list: readonly string[];
  #native: Headers | undefined;

  /** @param list flat [name, value, …], names in lower case, values as latin-1 */
  constructor(list: readonly string[]) {
    this.#list = list;
  }

  native(): Headers {
    if (this.#native === undefined) {
      this.#native = new NativeHeaders();
      for (let i = 0; i < this.#list.length; i += 2) {
        // CGI names may hold what no field name does: such a field is left out
        if (isToken(this.#list[i])) this.#native.append(this.#list[i], this.#list[i + 1]);
      }
    }
    return this.#native;
  }

  /** Makes this object a view of the headers of a native Request, which were copied from it. */
  adopt(native: Headers): void {
    this.#native = native;
  }

  get(name: string): string | null {
    if (!this.#canLook(name)) return this.native().get(name);
    const wanted = name.toLowerCase();
    let value: string | null = null;
    for (let i = 0; i < this.#list.length; i += 2) {
      if (this.#list[i] !== wanted) continue;
      const one = trim(this.#list[i + 1]);
      value = value === null ? one : value + (wanted === 'cookie' ? '; ' : ', ') + one;
    }
    return value;
  }

  has(name: string): boolean {
    if (!this.#canLook(name)) return this.native().has(name);
    const wanted = name.toLowerCase();
    for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === wanted) return true;
    return false;
  }

  #canLook(name: unknown): name is string {
    return this.#native === undefined && typeof name === 'string' && isToken(name);
  }

  append(name: string, value: string): void {
    this.native().append(name, value);
  }

  set(name: string, value: string): void {
    this.native().set(name, value);
  }

  delete(name: string): void {
    this.native().delete(name);
  }

  getSetCookie(): string[] {
    return this.native().getSetCookie();
  }

  forEach(callback: (value: string, name: string, parent: Headers) => void, self?: unknown): void {
    this.native().forEach((value, name) => {
      callback.call(self, value, name, this);
    });
  }

  keys(): ReturnType<Headers['keys']> {
    return this.native().keys();
  }

  values(): ReturnType<Headers['values']> {
    return this.native().values();
  }

  entries(): ReturnType<Headers['entries']> {
    return this.native().entries();
  }

  [Symbol.iterator](): ReturnType<Headers['entries']> {
    return this.native().entries();
  }

  [inspect.custom](_depth: number, options: InspectOptions): string {
    return inspect(this.native(), options);
  }
}

Object.setPrototypeOf(LazyHeaders.prototype, NativeHeaders.prototype);
Object.defineProperty(LazyHeaders.prototype, 'constructor', { value: NativeHeaders });

/** Fetch Standard: a header value has no whitespace about it. */
function trim(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && isSpace(value.charCodeAt(from))) from++;
  while (to > from && isSpace(value.charCodeAt(to - 1))) to--;
  return from === 0 && to === value.length ? value : value.slice(from, to);
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 13;
}
