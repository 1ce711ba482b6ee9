import { begin, pair, pairs, params, plainGet, request, stdin, type Variables } from '@postern/testkit';

// What the inputs of FastCGI are made of.

export type Pairs = readonly (readonly [string, string])[];

/** The variables of a plain GET, as PARAMS. */
export const env = pairs(plainGet);
export const get = request(plainGet);

export function bytes(...parts: Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

/** A whole request whose PARAMS are these bytes. */
export function withContent(content: Uint8Array): Buffer {
  return bytes(begin(), params(content), params(), stdin());
}

/** A whole GET, or a POST where there is a body, with more variables behind the others. */
export function withVariables(more: Variables, body = ''): Buffer {
  return request([...plain(body), ...asPairs(more)], { body });
}

/** The head of a POST of so many bytes. */
export function post(length: number, id = 1, flags = 0): Buffer {
  const variables = { ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: String(length) };
  return bytes(begin(id, flags), params(pairs(variables), id), params('', id));
}

/** Each variable by itself, in a request of its own. */
export function each(
  values: readonly string[],
  named: (value: string) => Variables,
  called = shown,
): Record<string, Buffer> {
  return Object.fromEntries(values.map((value) => [called(value), withVariables(named(value))]));
}

/** A plain GET with variables in the place of its own. */
export function replacing(variables: Record<string, string>): Buffer {
  return request({ ...plainGet, ...variables });
}

/** A pair alone, behind those of a plain GET. */
export function withPair(name: string, value: string): Buffer {
  return withContent(bytes(env, pair(name, value)));
}

/** What can be printed of a value, for a title. */
export function shown(value: string): string {
  return JSON.stringify(value).replaceAll(/[^ -~]/g, (one) => `\\x${one.charCodeAt(0).toString(16)}`);
}

function asPairs(variables: Variables): Pairs {
  return Array.isArray(variables) ? variables : Object.entries(variables);
}

function plain(body: string): Pairs {
  return Object.entries(body === '' ? plainGet : { ...plainGet, REQUEST_METHOD: 'POST' });
}
