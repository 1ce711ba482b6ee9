import { ownText } from '@postern/core';

const NativeHeaders = globalThis.Headers;

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Bytes of a field as latin-1, without whitespace about it (Fetch Standard, "normalize" of a header value). */
const VALUE = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/;

/** Names as applications write them, with their lower case. They write the same ones again and again. */
const lowerNames = new Map<string, string>();
const MOST_NAMES = 1024;

/**
 * The headers that a Response is made with: flat [name, value, …], names in lower case.
 * @throws TypeError as `new Headers(init)`
 */
export function headerList(init: unknown): string[] {
  if (init === undefined) return [];
  return (isRecord(init) ? readRecord(init) : undefined) ?? flatten(new NativeHeaders(init as Headers));
}

/** Set-Cookie stays apart: it is the one field that cannot be joined. */
export function flatten(headers: Headers): string[] {
  const flat: string[] = [];
  for (const [name, value] of headers) flat.push(name, value);
  return flat;
}

/** Names are in lower case. */
export function listHas(list: readonly string[], name: string): boolean {
  for (let i = 0; i < list.length; i += 2) if (list[i] === name) return true;
  return false;
}

export function pairsOf(list: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < list.length; i += 2) pairs.push([list[i], list[i + 1]]);
  return pairs;
}

/** A plain object with nothing but names in it: symbols are an iterator, or an error. */
function isRecord(init: unknown): init is Record<string, unknown> {
  if (typeof init !== 'object' || init === null) return false;
  return Object.getPrototypeOf(init) === Object.prototype && Object.getOwnPropertySymbols(init).length === 0;
}

/** undefined: something in it is not as nearly all applications write it. */
function readRecord(record: Record<string, unknown>): string[] | undefined {
  const list: string[] = [];
  for (const name in record) {
    if (!Object.hasOwn(record, name)) continue;
    const value = record[name];
    const lower = lowerName(name);
    if (!isPlainValue(value)) return undefined;
    if (lower === undefined || listHas(list, lower)) return undefined;
    list.push(lower, value);
  }
  return list;
}

/** A header name in lower case; undefined: it is no name. */
export function lowerName(name: string): string | undefined {
  const known = lowerNames.get(name);
  if (known !== undefined || !NAME.test(name)) return known;
  if (lowerNames.size >= MOST_NAMES) return name.toLowerCase();
  const own = ownText(name);
  const lower = own.toLowerCase();
  lowerNames.set(own, lower);
  return lower;
}

/** A value that is kept as it is, with nothing to be converted, trimmed or refused. */
export function isPlainValue(value: unknown): value is string {
  return typeof value === 'string' && VALUE.test(value);
}
