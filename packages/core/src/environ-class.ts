import type { Exchange } from './exchange.ts';

/** What an environ always has, whether the web server sent it or not. */
const computedNames = [
  ...(['SCRIPT_NAME', 'PATH_INFO', 'QUERY_STRING', 'REQUEST_URI', 'SERVER_PROTOCOL', 'REQUEST_SCHEME'] as const),
];
/** What an environ has where the web server does not say it (RFC 3875 §4.1.4). */
export const GATEWAY_INTERFACE = 'CGI/1.1';

type EnvironBase = abstract new (exchange: Exchange) => object;
export type EnvironClass = new (
  exchange: Exchange,
  values: readonly string[],
  scriptName: string,
  pathInfo: string,
  queryString: string,
  requestUri: string,
  serverProtocol: string,
  requestScheme: string,
) => object;

/** So many environs with the same names are filled by hand before a class is made for them. */
const OFTEN = 32;
/** A class is not made for more names than this: it would be a dictionary. */
const MOST_NAMES = 256;
/** All the classes of a process. Clients choose the names of headers, and code is never given back in time. */
const MOST_CLASSES = 256;

let made = 0;

/** The classes of environs with one sequence of names: which of them are left out depends on the request. */
export class EnvironClasses {
  readonly #uses: number[] = [0, 0, 0, 0];
  readonly #classes: (EnvironClass | undefined)[] = [undefined, undefined, undefined, undefined];

  /** The class for one way of leaving out, 0 to 3; undefined: none was made. */
  get(way: number): EnvironClass | undefined {
    return this.#classes[way];
  }

  /** Counts a use; true: it is worth a class. */
  isDue(way: number): boolean {
    return ++this.#uses[way] === OFTEN && made < MOST_CLASSES;
  }

  /** @param names with their places among the values */
  make(way: number, base: EnvironBase, names: readonly [name: string, place: number][]): void {
    if (names.length > MOST_NAMES) return;
    this.#classes[way] = environClass(base, names);
    made++;
  }
}

/**
 * A class whose constructor sets each variable by its name: an environ of thirty variables costs a tenth of what it does
 * with a loop over names, and has a fast shape. undefined: this process may not make code
 * (`--disallow-code-generation-from-strings`).
 */
function environClass(base: EnvironBase, names: readonly [name: string, place: number][]): EnvironClass | undefined {
  const own = new Set<string>(names.map(([name]) => name));
  const sources = names.map(([name, place]) => [name, isComputed(name) ? name : `values[${place}]`]);
  for (const name of computedNames) if (!own.has(name)) sources.push([name, name]);
  if (!own.has('GATEWAY_INTERFACE')) sources.push(['GATEWAY_INTERFACE', JSON.stringify(GATEWAY_INTERFACE)]);
  const lines = sources.map(([name, source]) => `this[${JSON.stringify(name)}] = ${source};`);
  const text = `return class extends base {
constructor(exchange, values, ${computedNames.join(', ')}) {
super(exchange);
${lines.join('\n')}
} };`;
  let result: EnvironClass;
  try {
    result = new Function('base', text)(base) as EnvironClass;
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
  // a wire name may be "constructor"
  Reflect.deleteProperty(result.prototype, 'constructor');
  Object.freeze(result.prototype);
  return result;
}

function isComputed(name: string): boolean {
  return (computedNames as readonly string[]).includes(name);
}
