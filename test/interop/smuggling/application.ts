import type { Environ, Reply } from '../../../packages/core/src/index.ts';
import { serve } from '../../../packages/postern/src/index.ts';

/** One request as the application saw it. */
export interface Seen {
  readonly id: number;
  readonly method: string;
  readonly target: string;
  /** Undefined where there is none. */
  readonly stated: string | undefined;
  readonly variables: Readonly<Record<string, string>>;
  /** Bytes as latin-1; undefined: it has not come whole. */
  body: string | undefined;
}

/** An application that notes every request, reads all of its body, and answers with the number of its note. */
export interface Behind {
  readonly address: string;
  readonly seen: Seen[];
  stop(): Promise<unknown>;
}

export async function serveBehind(protocol: string): Promise<Behind> {
  const seen: Seen[] = [];
  const app = async (environ: Environ): Promise<Reply> => {
    const { REQUEST_METHOD: method, REQUEST_URI: target, CONTENT_LENGTH: stated } = environ;
    const one: Seen = { id: seen.length, method, target, stated, variables: { ...environ } as never, body: undefined };
    seen.push(one);
    one.body = Buffer.from(await environ['gateway.input'].bytes(10_000_000)).toString('latin1');
    return { status: 200, headers: { 'Content-Type': 'text/plain' }, body: `seen as ${one.id}\n` };
  };
  // a body that breaks off is no failure here
  const served = await serve(app, { interface: 'environ', listen: `${protocol}://127.0.0.1:0`, onError: () => {} });
  return { address: served.addresses[0], seen, stop: () => served.close(0) };
}
