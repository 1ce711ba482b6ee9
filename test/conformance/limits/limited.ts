import { ajp } from '@postern/ajp';
import type { CountedLimit, Handler, LimitName } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import { auto, http, type Listened } from '@postern/server';
import { type OneOfFive, replyInFive, until } from '@postern/testkit';
import { uwsgi } from '@postern/uwsgi';
import type { Peer } from '../../../packages/server/test/support/peer.ts';
import { hello, type ServeOptions, type Serving, serving } from '../../../packages/server/test/support/serving.ts';

export const served: Readonly<Record<OneOfFive | 'auto', Listened>> = {
  fastcgi,
  scgi,
  ajp,
  uwsgi,
  http: http(),
  auto: auto([fastcgi, scgi, ajp, uwsgi], http()),
};

export type Limited = Serving & { readonly protocol: OneOfFive };

export type SomeLimits = Partial<Record<LimitName, number>>;

/** A server of one protocol with some limits set, on a clock that stands still. It is closed behind the test. */
export async function limited(
  protocol: OneOfFive,
  limits: SomeLimits,
  handler: Handler = hello,
  options: ServeOptions = {},
): Promise<Limited> {
  const all = await serving(handler, { protocol: served[protocol], limits, ...options });
  return { ...all, protocol };
}

export function gone({ ended, closed, error }: Peer): boolean {
  return ended || closed || error !== undefined;
}

/** What a peer was told: a status, or that its connection ended without one. */
export async function statusOf(peer: Peer, protocol: OneOfFive): Promise<number | 'closed'> {
  const status = (): number | undefined => {
    if (peer.size === 0) return undefined;
    return replyInFive(protocol, peer.bytes, gone(peer))?.status;
  };
  await peer.when(() => gone(peer) || status() !== undefined);
  return status() ?? 'closed';
}

/** What bytes on a connection of their own are answered. */
export async function answer(all: Limited, ...pieces: Uint8Array[]): Promise<number | 'closed'> {
  const peer = await all.connect();
  for (const piece of pieces) peer.write(piece);
  const status = await statusOf(peer, all.protocol);
  peer.socket.destroy();
  return status;
}

/** How often a limit was hit. */
export function hits({ server }: Serving, name: CountedLimit): number {
  return server.stats().limits[name];
}

/** Waits until a limit was hit so often. */
export async function hitsAre(all: Serving, name: CountedLimit, count: number): Promise<void> {
  await until(
    () => hits(all, name),
    (now) => now === count,
  );
}

/** The limits that were hit, and how often. */
export function allHits({ server }: Serving): Partial<Record<CountedLimit, number>> {
  return Object.fromEntries(Object.entries(server.stats().limits).filter(([, count]) => count > 0));
}

export function times(count: number, one: Uint8Array): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => one));
}
