import { type InspectOptions, inspect } from 'node:util';
import { isToken } from '@postern/core';
import { flatten, isPlainValue, listHas, lowerName } from './header-list.ts';

const NativeHeaders = globalThis.Headers;

/**
 * The headers of a Request or Response, kept as a list as long as they are looked up and changed by name. Everything else
 * builds the native Headers, which is asked from then on.
 */
export class LazyHeaders implements Headers {
  #list: string[];
  #native: Headers | undefined;

  /** @param list flat [name, value, …], names in lower case, values as latin-1; it is not changed */
  constructor(list: string[]) {
    this.#list = list;
  }

  native(): Headers {
    if (this.#native === undefined) {
      this.#native = new NativeHeaders();
      for (let i = 0; i < this.#list.length; i += 2) {
        // CGI names may hold what no field name does: such a field is left out
        if (isToken(this.#list[i])) this.#native.append(this.#list[i], this.#list[i + 1]);
      }
      this.#list = [];
    }
    return this.#native;
  }

  /** Flat [name, value, …] as it may be sent, if the constructor was given such a list. */
  flat(): string[] {
    return this.#native === undefined ? this.#list : flatten(this.#native);
  }

  /** Makes this object a view of the headers of a native Request or Response, which were copied from it. */
  adopt(native: Headers): void {
    this.#native = native;
  }

  get(name: string): string | null {
    const wanted = this.#known(name);
    if (wanted === undefined) return this.native().get(name);
    let value: string | null = null;
    for (let i = 0; i < this.#list.length; i += 2) {
      if (this.#list[i] !== wanted) continue;
      const one = trim(this.#list[i + 1]);
      value = value === null ? one : value + separator(wanted) + one;
    }
    return value;
  }

  has(name: string): boolean {
    const wanted = this.#known(name);
    return wanted === undefined ? this.native().has(name) : listHas(this.#list, wanted);
  }

  /** The name in lower case; undefined: the native Headers must be asked. */
  #known(name: unknown): string | undefined {
    return this.#native === undefined && typeof name === 'string' ? lowerName(name) : undefined;
  }

  append(name: string, value: string): void {
    const lower = this.#known(name);
    if (lower === undefined || !isPlainValue(value)) this.native().append(name, value);
    else if (lower === 'set-cookie' || !this.has(lower)) this.#list = [...this.#list, lower, value];
    else this.#replace(lower, this.get(lower) + separator(lower) + value);
  }

  set(name: string, value: string): void {
    const lower = this.#known(name);
    if (lower === undefined || !isPlainValue(value)) this.native().set(name, value);
    else this.#replace(lower, value);
  }

  delete(name: string): void {
    const lower = this.#known(name);
    if (lower === undefined) this.native().delete(name);
    else this.#replace(lower, undefined);
  }

  /** The first field of this name gets the value, and stays alone; undefined: none stays. */
  #replace(name: string, value: string | undefined): void {
    const list: string[] = [];
    let left = value;
    for (let i = 0; i < this.#list.length; i += 2) {
      if (this.#list[i] !== name) list.push(this.#list[i], this.#list[i + 1]);
      else if (left !== undefined) {
        list.push(name, left);
        left = undefined;
      }
    }
    if (left !== undefined) list.push(name, left);
    this.#list = list;
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

/** Between the values of fields of one name. */
function separator(name: string): string {
  return name === 'cookie' ? '; ' : ', ';
}

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
