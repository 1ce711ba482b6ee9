/**
 * What this package knows of the inside of Node's own Request and Response. Up to Node 22 they keep their state in
 * properties with symbols for names; from Node 24 on it is private and nothing below finds any. Each symbol is found
 * and tried when this module is loaded; where that fails, the standard way is taken.
 */

type Keyed = Record<symbol, unknown>;
interface BodyState {
  source: unknown;
  stream: ReadableStream;
}

const responseState = findResponseState();

function findResponseState(): symbol | undefined {
  const text = new Response('probe');
  const bytes = new Response(Uint8Array.of(1, 2));
  for (const key of Object.getOwnPropertySymbols(text)) {
    const inText = (text as unknown as Keyed)[key] as { body?: BodyState } | undefined;
    const inBytes = (bytes as unknown as Keyed)[key] as { body?: BodyState } | undefined;
    if (inText?.body?.source === 'probe' && inText.body.stream === text.body && isBytes(inBytes?.body?.source))
      return key;
  }
  return undefined;
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === 2 && value[1] === 2;
}

/** The text or bytes that a Response was made of; undefined: not known, or its body has been touched. */
export function responseSource(response: Response): string | Uint8Array | undefined {
  if (responseState === undefined) return undefined;
  const body = ((response as unknown as Keyed)[responseState] as { body?: BodyState } | undefined)?.body;
  if (!body || body.stream.locked || response.bodyUsed) return undefined;
  const { source } = body;
  return typeof source === 'string' || source instanceof Uint8Array ? source : undefined;
}

/**
 * Lets `new Request(lazy)` and `fetch(lazy)` take an object of this prototype for a native Request, by handing out the
 * native state when it is asked for.
 * @returns whether this version of Node allows it
 */
export function forwardRequestState<T extends object>(prototype: T, nativeOf: (lazy: T) => Request): boolean {
  const sample = new Request('http://localhost/', { signal: new AbortController().signal });
  const state = sample as unknown as Record<symbol, { urlList?: unknown } | undefined>;
  const keys = Object.getOwnPropertySymbols(sample);
  const whole =
    keys.some((key) => state[key]?.urlList) && keys.some((key) => (state[key] as unknown) === sample.headers);
  if (!whole) return false;
  for (const key of keys) {
    Object.defineProperty(prototype, key, {
      configurable: true,
      get(this: T) {
        return (nativeOf(this) as unknown as Keyed)[key];
      },
    });
  }
  return true;
}
