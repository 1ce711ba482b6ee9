import type { ClientProtocol } from '@postern/core';
import { type Inquiry, inquire } from './inquiry.ts';
import type { ConnectTarget } from './target.ts';

/** What a back-end says of itself. */
export interface BackEndValues {
  /** By name, as they came: FCGI_MAX_CONNS, FCGI_MAX_REQS, FCGI_MPXS_CONNS. It may leave any of them out. */
  readonly values: ReadonlyMap<string, string>;
  /** Requests at once that it takes on one connection. */
  readonly atOnce: number;
}

/**
 * Asks a back-end what it can, on a connection of its own, where the protocol can: FastCGI's GET_VALUES.
 * @throws what `inquire` throws
 */
export async function getValues(
  protocol: ClientProtocol,
  target: ConnectTarget,
  how: Inquiry = {},
): Promise<BackEndValues> {
  const kind = { ask: 'values', answer: 'values', name: 'a question for values' } as const;
  const { values, atOnce } = (await inquire(protocol, target, kind, how)).event;
  const byName = new Map<string, string>();
  for (let i = 0; i < values.length; i += 2) byName.set(values[i], values[i + 1]);
  return { values: byName, atOnce };
}
