import { EnvironClasses } from './environ-class.ts';
import { decodePath, normalisePath, targetQuery } from './paths.ts';
import { Rule, type VariableNames } from './variable-names.ts';

/**
 * What a web server does to a variable, and what is made of it so that an application behind any of them sees the same.
 * `npm run golden` tries it on the real servers: the versions are those in which it was seen there.
 */
interface ProfileRule {
  readonly names: readonly string[];
  readonly fact: string;
  readonly seen: string;
  /** What the application sees; undefined: nothing. `target` is REQUEST_URI, '' where it did not come. */
  readonly value: (value: string, target: string) => string | undefined;
}

/** A Cookie field that came twice was joined with a comma; a value with a comma, a space and `name=` in it is not legal. */
export function splitCookies(value: string): string {
  return value.includes(', ') ? value.replace(/, (?=[!#$%&'*+\-.^_`|~0-9A-Za-z]+=)/g, '; ') : value;
}

function unlessEmpty(value: string): string | undefined {
  return value === '' ? undefined : value;
}

function withoutPort(host: string): string {
  return host.replace(/:[0-9]*$/, '');
}

function withoutBrackets(address: string): string {
  return address.startsWith('[') && address.endsWith(']') ? address.slice(1, -1) : address;
}

/** The escapes of a query were made regular; where it was rewritten it stays as it is. */
function asInTarget(query: string, target: string): string {
  const sent = targetQuery(target);
  return query === sent || decodePath(query) !== decodePath(sent) ? query : sent;
}

const cookies: ProfileRule = {
  names: ['HTTP_COOKIE'],
  fact: 'joins Cookie fields with a comma',
  seen: 'Apache 2.4.71, Caddy 2.6.2',
  value: splitCookies,
};

const rawPath: ProfileRule = {
  names: ['SCRIPT_NAME', 'PATH_INFO'],
  fact: 'decodes the path, and leaves double slashes and dot segments in it',
  seen: 'Caddy 2.6.2, HAProxy 2.6.12',
  value: normalisePath,
};

const noUser: ProfileRule = {
  names: ['REMOTE_USER', 'AUTH_TYPE', 'REMOTE_IDENT'],
  fact: 'sends them empty where nobody logged in',
  seen: 'Caddy 2.6.2; nginx 1.22.1 with fastcgi_params',
  value: unlessEmpty,
};

/** What is done for the web servers that an address can name as its peer. One that is not here does nothing amiss. */
export const profileRules: Readonly<Record<string, readonly ProfileRule[]>> = {
  nginx: [noUser],
  apache: [cookies],
  lighttpd: [
    {
      names: ['QUERY_STRING'],
      fact: 'makes the escapes in it regular, and leaves REQUEST_URI as it was',
      seen: 'lighttpd 1.4.69',
      value: asInTarget,
    },
    {
      names: ['SERVER_ADDR'],
      fact: 'puts an IPv6 address into brackets, but not in REMOTE_ADDR',
      seen: 'lighttpd 1.4.69',
      value: withoutBrackets,
    },
  ],
  caddy: [
    cookies,
    rawPath,
    noUser,
    {
      names: ['HTTP_USER_AGENT'],
      fact: 'sends it empty where the client sent none',
      seen: 'Caddy 2.6.2',
      value: unlessEmpty,
    },
    {
      names: ['REMOTE_HOST'],
      fact: 'looks no name up: it is REMOTE_ADDR once more',
      seen: 'Caddy 2.6.2',
      value: () => undefined,
    },
    {
      names: ['CONTENT_LENGTH'],
      fact: 'sends -1 for an upload of unknown length',
      seen: 'Caddy 2.6.2',
      value: (value) => (value === '-1' ? undefined : value),
    },
  ],
  haproxy: [
    rawPath,
    {
      names: ['SERVER_NAME'],
      fact: 'takes the Host header for it, with its port',
      seen: 'HAProxy 2.6.12',
      value: withoutPort,
    },
  ],
};

/** The rules of a profile that concern a list of names. */
export interface ProfilePlan {
  readonly places: readonly number[];
  readonly rules: readonly ProfileRule[];
  /** The names with those dropped whose rules gave nothing, by the bits of these. */
  readonly without: Map<number, VariableNames>;
}

export class Profile {
  readonly #rules: readonly ProfileRule[];
  /** Where `VariableNames.plans` has the plan of this profile. */
  readonly #index: number;

  constructor(rules: readonly ProfileRule[], index: number) {
    this.#rules = rules;
    this.#index = index;
  }

  /** The variables as the application is to see them; undefined: as they came. */
  apply(
    names: VariableNames,
    values: readonly string[],
  ): { names: VariableNames; values: readonly string[] } | undefined {
    names.plans[this.#index] ??= planOf(this.#rules, names);
    const plan = names.plans[this.#index] as ProfilePlan;
    return plan.places.length === 0 ? undefined : changed(plan, names, values);
  }
}

function planOf(rules: readonly ProfileRule[], { names }: VariableNames): ProfilePlan {
  const found = names.flatMap((name, place) =>
    rules.filter((rule) => rule.names.includes(name)).map((rule) => ({ place, rule })),
  );
  return { places: found.map(({ place }) => place), rules: found.map(({ rule }) => rule), without: new Map() };
}

function changed(
  { places, rules, without }: ProfilePlan,
  names: VariableNames,
  values: readonly string[],
): { names: VariableNames; values: readonly string[] } | undefined {
  const target = names.target < 0 ? '' : values[names.target];
  let copy: string[] | undefined;
  let dropped = 0;
  for (let i = 0; i < places.length; i++) {
    const value = values[places[i]];
    const seen = rules[i].value(value, target);
    if (seen === value) continue;
    if (seen === undefined) dropped |= 1 << i;
    else {
      copy ??= [...values];
      copy[places[i]] = seen;
    }
  }
  if (dropped === 0) return copy === undefined ? undefined : { names, values: copy };
  let kept = without.get(dropped);
  if (kept === undefined) {
    kept = namesWithout(
      names,
      places.filter((_, i) => (dropped & (1 << i)) !== 0),
    );
    without.set(dropped, kept);
  }
  return { names: kept, values: copy ?? values };
}

/** The same names, of which those at the places reach no application: the values stay where they are. */
function namesWithout(names: VariableNames, places: readonly number[]): VariableNames {
  const rules = Uint8Array.from(names.rules);
  for (const place of places) rules[place] = Rule.drop;
  const length = places.includes(names.length) ? -1 : names.length;
  const fields = names.fields.filter((place) => !places.includes(place));
  return { ...names, rules, fields, length, classes: new EnvironClasses(), merged: undefined, plans: [] };
}

const profiles = new Map(Object.entries(profileRules).map(([name, rules], i) => [name, new Profile(rules, i)]));
const software: readonly (readonly [begins: string, profile: Profile | undefined])[] = [
  ['nginx', profiles.get('nginx')],
  ['Apache', profiles.get('apache')],
  ['lighttpd', profiles.get('lighttpd')],
  ['Caddy', profiles.get('caddy')],
  ['HAProxy', profiles.get('haproxy')],
];

/** The profile of a web server by its name in an address; undefined: it has none, or `none` was written. */
export function profileOf(peer: string): Profile | undefined {
  return profiles.get(peer);
}

/** The profile by what the web server says of itself: SERVER_SOFTWARE. */
export function profileOfSoftware(value: string): Profile | undefined {
  for (let i = 0; i < software.length; i++) if (value.startsWith(software[i][0])) return software[i][1];
  return undefined;
}
