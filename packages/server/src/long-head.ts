import type { Exchange } from '@postern/core';
import type { ExchangeHost } from './exchange-host.ts';

/** nginx reads the head of a reply into one page, unless it is told of more. */
export const PAGE = 4096;

/** By protocol, the directive that makes it more. */
const directives: Readonly<Record<string, string>> = {
  fastcgi: 'fastcgi_buffer_size',
  scgi: 'scgi_buffer_size',
  uwsgi: 'uwsgi_buffer_size',
};

/** Says, where nginx may be in front, why it answers 502 to a reply that is sent. */
export function noticeLongHead(exchange: Exchange, host: ExchangeHost, bytes: number): void {
  const directive = directives[host.protocol.name];
  // over SCGI and uwsgi nginx does not say who it is
  const software = host.peer ?? exchange.environ.SERVER_SOFTWARE ?? 'nginx';
  if (directive === undefined || !software.startsWith('nginx')) return;
  const message = `a reply has ${bytes} bytes of headers, and nginx reads ${PAGE} by default: set ${directive} 32k in its configuration`;
  host.notice?.({ code: 'ERR_HEADER_PAGE', message });
}
