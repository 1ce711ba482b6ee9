import {
  type Exchange,
  LocalProtocolError,
  reasonOf,
  type Tunnel,
  upgradeAsked,
  upgradeHeaders,
  upgradeLack,
} from '@postern/core';
import type { ServerExchange } from './exchange.ts';
import type { ExchangeHost } from './exchange-host.ts';
import { TunnelEnd } from './tunnel-end.ts';

/** What the client is told that asks for an upgrade where none can be had. */
export const NO_UPGRADE = 'the web server in front of this application does not carry upgrades such as WebSocket';

/** Whether a request can become a tunnel. Where it asks, and the web server stands in the way, the operator is told. */
export function canUpgrade(exchange: Exchange, host: ExchangeHost): boolean {
  if (exchange.role !== 'responder' || !upgradeAsked(exchange.head)) return false;
  const lack = upgradeLack(host.protocol, host.peer, exchange.environ.SERVER_SOFTWARE);
  if (lack !== undefined) host.notice?.({ code: 'ERR_UPGRADE', message: `an upgrade was refused: ${lack}` });
  return lack === undefined;
}

/**
 * Sends the 101. undefined: the web server does not carry it.
 * @throws LocalProtocolError as `Exchange.upgrade`; nothing was sent then
 */
export function startTunnel(
  exchange: ServerExchange,
  host: ExchangeHost,
  status: number,
  headers: readonly string[],
  tunnel: Tunnel,
): TunnelEnd | undefined {
  if (status !== 101) throw new LocalProtocolError('ERR_UPGRADE', `the status of an upgrade is 101, not ${status}`);
  const checked = upgradeHeaders(exchange.head, headers, host.limits);
  if (!canUpgrade(exchange, host)) return undefined;
  host.send({ type: 'upgrade', id: exchange.id, status, reason: reasonOf(status), headers: checked });
  return new TunnelEnd(exchange, host, tunnel);
}
