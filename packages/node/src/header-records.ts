type HeaderRecord = NodeJS.Dict<string>;
type MakeRecord = (flat: readonly string[]) => HeaderRecord;

/** The names of a request's headers, in their order. */
interface Names {
  readonly names: readonly string[];
  uses: number;
  make: MakeRecord | undefined;
}

/** So many requests with the same names are left to Node before code is made for them. */
const OFTEN = 32;
/** Of those with as many names. Clients choose the names, and code is never given back in time. */
const MOST_ALIKE = 8;
const MOST_NAMES = 64;

/** By the length of the flat array. */
const seen = new Map<number, Names[]>();
/** Most requests have the names of the one before. */
let latest: Names | undefined;

/**
 * `headers` of a request, made by code that has its names in it: filling it name by name takes ten times as long.
 * @param flat [name, value, …], names in lower case
 * @returns undefined: Node shall make them from the flat array; the names are not seen often, or one is there twice
 */
export function headerRecord(flat: readonly string[]): HeaderRecord | undefined {
  if (latest === undefined || !areNames(latest.names, flat)) latest = find(flat);
  if (latest?.make !== undefined) return latest.make(flat);
  if (latest !== undefined && ++latest.uses === OFTEN) latest.make = makerOf(latest.names);
  return undefined;
}

function areNames(names: readonly string[], flat: readonly string[]): boolean {
  if (flat.length !== 2 * names.length) return false;
  for (let i = 0; i < names.length; i++) if (flat[2 * i] !== names[i]) return false;
  return true;
}

/** undefined: there is no room for these names. */
function find(flat: readonly string[]): Names | undefined {
  const alike = seen.get(flat.length) ?? [];
  const known = alike.find(({ names }) => areNames(names, flat));
  if (known !== undefined || flat.length > 2 * MOST_NAMES) return known;
  const place = alike.length < MOST_ALIKE ? alike.length : alike.findIndex(({ make }) => make === undefined);
  if (place < 0) return undefined;
  const names = flat.filter((_, i) => i % 2 === 0).map(ownName);
  alike[place] = { names, uses: 0, make: undefined };
  seen.set(flat.length, alike);
  return alike[place];
}

/** The text as names of properties have it: it is compared at once, and holds nothing that it was cut out of. */
function ownName(name: string): string {
  return Object.keys({ [name]: name })[0];
}

/** undefined: Node joins values or ignores one, or this process may not make code. */
function makerOf(names: readonly string[]): MakeRecord | undefined {
  if (new Set(names).size < names.length || names.includes('set-cookie') || names.includes('__proto__'))
    return undefined;
  const properties = names.map((name, i) => `${JSON.stringify(name)}: flat[${2 * i + 1}]`);
  try {
    return new Function('flat', `return { ${properties.join(', ')} };`) as MakeRecord;
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}
