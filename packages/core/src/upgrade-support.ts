/** A web server that is known not to carry an upgrade over some protocols, and what does it there. */
interface Lack {
  readonly peer: string;
  /** How SERVER_SOFTWARE begins. */
  readonly software: string;
  readonly protocols: readonly string[];
  /** From this version on it does. */
  readonly since?: readonly number[];
  readonly todo: string;
}

/** Seen on nginx 1.22.1, Apache 2.4.71, Caddy 2.6.2, lighttpd 1.4.69; HAProxy 2.6.12 does not even pass the wish on. */
const lacks: readonly Lack[] = [
  {
    peer: 'nginx',
    software: 'nginx',
    protocols: ['fastcgi'],
    todo: 'nginx carries none over fastcgi_pass: use scgi_pass or uwsgi_pass, and listen on scgi:// or uwsgi://',
  },
  {
    peer: 'apache',
    software: 'Apache',
    protocols: ['fastcgi', 'scgi', 'uwsgi', 'cgi'],
    todo: 'Apache carries it over HTTP alone: ProxyPass "http://…" upgrade=websocket, and listen on http://',
  },
  {
    peer: 'lighttpd',
    software: 'lighttpd',
    protocols: ['fastcgi', 'scgi', 'uwsgi'],
    since: [1, 4, 74],
    todo: 'lighttpd carries it from 1.4.74 on, with "upgrade" => "enable" in fastcgi.server or scgi.server',
  },
  {
    peer: 'caddy',
    software: 'Caddy',
    protocols: ['fastcgi'],
    todo: 'Caddy carries it over HTTP alone: reverse_proxy without transport fastcgi, and listen on http://',
  },
  {
    peer: 'haproxy',
    software: 'HAProxy',
    protocols: ['fastcgi'],
    todo: 'HAProxy carries it over HTTP alone: a server without proto fcgi, and listen on http://',
  },
];

/**
 * Why an upgrade cannot reach the client, and which setting is missing; undefined: it can, or nobody knows better.
 * @param peer the web server, where the address names it; without it SERVER_SOFTWARE tells
 */
export function upgradeLack(
  protocol: { readonly name: string; readonly carriesUpgrade?: boolean },
  peer: string | undefined,
  software: unknown,
): string | undefined {
  const { name } = protocol;
  if (protocol.carriesUpgrade !== true)
    return `${name} cannot carry an upgrade: let the web server speak SCGI, uwsgi or HTTP to the app`;
  const told = typeof software === 'string' ? software : '';
  const lack = lacks.find((row) => (peer === undefined ? told.startsWith(row.software) : row.peer === peer));
  if (lack === undefined || !lack.protocols.includes(name)) return undefined;
  return lack.since !== undefined && isSince(told, lack.since) ? undefined : lack.todo;
}

/** A version that is not told may be a new one. */
function isSince(software: string, since: readonly number[]): boolean {
  const version = /\/([0-9]+)\.([0-9]+)\.([0-9]+)/.exec(software)?.slice(1).map(Number);
  if (version === undefined) return true;
  for (let i = 0; i < since.length; i++) if (version[i] !== since[i]) return version[i] > since[i];
  return true;
}
