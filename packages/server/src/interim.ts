import { carriesInterim, checkHeaders, type Exchange, reasonOf } from '@postern/core';
import type { ExchangeHost } from './exchange-host.ts';

/** Sends a 1xx in front of a reply. False: what is in front does not pass it on. @throws as `checkHeaders` */
export function sendInterim(exchange: Exchange, host: ExchangeHost, status: number, headers: string[]): boolean {
  const { headers: checked } = checkHeaders(headers, host.limits);
  if (host.inform !== undefined) return host.inform(status, checked);
  if (!carriesInterim(status, exchange.head, host.peer)) return false;
  const { id } = exchange;
  host.send({ type: 'interim', id, status, reason: reasonOf(status), headers: withoutLength(checked) });
  host.flush();
  return true;
}

/** A length in an interim reply would be taken for that of the reply. */
function withoutLength(headers: string[]): string[] {
  return headers.filter((_, i) => headers[i - (i % 2)].toLowerCase() !== 'content-length');
}
