/** What nginx speaks, and the prefix of its directives for it. */
const prefixes = { fastcgi: 'fastcgi', scgi: 'scgi', uwsgi: 'uwsgi', http: 'proxy' } as const;
export type NginxProtocol = keyof typeof prefixes;
export const nginxProtocols = Object.keys(prefixes) as NginxProtocol[];

type Row = string | readonly [name: string, value: string];

/** What stands in the location that passes requests on to an upstream. */
export function locationLines(protocol: NginxProtocol, upstream: string): string[] {
  const prefix = prefixes[protocol];
  return [
    ...(protocol === 'http' ? proxyPass(upstream) : variables(protocol, upstream)),
    '# The headers of a reply must fit into the first buffer, or nginx answers 502 (large cookies).',
    `${prefix}_buffer_size 32k;`,
    `${prefix}_buffers 8 32k;`,
    `${prefix}_busy_buffers_size 64k;`,
    '',
    ...uploads(protocol, prefix),
    '',
    '# A reply goes out as it comes where the app marks it with X-Accel-Buffering: no, as postern marks event streams; off,',
    '# each does. One that is silent for longer than the timeout is cut: send a comment line now and then.',
    `#${prefix}_buffering off;`,
    `#${prefix}_read_timeout 60s;`,
    ...sockets[protocol],
  ];
}

const passes = [
  '# WebSocket goes through as it is. One that is silent for longer than the timeout is cut: let the app ping.',
];

const sockets: Readonly<Record<NginxProtocol, readonly string[]>> = {
  fastcgi: ['# nginx carries no WebSocket over FastCGI: for one, let the app listen on scgi:// instead.'],
  scgi: passes,
  uwsgi: passes,
  http: passes,
};

/** The variables that an application gets, and what each is for. nginx adds HTTP_* for the headers by itself. */
function variables(protocol: Exclude<NginxProtocol, 'http'>, upstream: string): string[] {
  const param = (row: Row): string =>
    typeof row === 'string' ? row : `${protocol}_param ${row[0].padEnd(17)} ${row[1]};`;
  return [
    `${protocol}_pass ${upstream};`,
    ...(protocol === 'fastcgi' ? ['fastcgi_keep_conn on;'] : []),
    '',
    ...[...request, ...(protocol === 'scgi' ? scgiLength : length)].map(param),
    '',
    ...connection.map(param),
    '',
    '# Who logged in. nginx takes $remote_user from any Authorization header, checked or not: send it only together with',
    '# auth_basic.',
    '#auth_basic "closed";',
    '#auth_basic_user_file /etc/nginx/htpasswd;',
    `#${protocol}_param REMOTE_USER $remote_user;`,
    `#${protocol}_param AUTH_TYPE   Basic;`,
    '',
  ];
}

const request: readonly Row[] = [
  '# The request. $uri is decoded and normalised; REQUEST_URI stays as the client sent it.',
  ['REQUEST_METHOD', '$request_method'],
  ['REQUEST_URI', '$request_uri'],
  ['SCRIPT_NAME', '""'],
  ['PATH_INFO', '$uri'],
  ['QUERY_STRING', '$query_string'],
  ['SERVER_PROTOCOL', '$server_protocol'],
  ['CONTENT_TYPE', '$content_type'],
];

const length: readonly Row[] = [['CONTENT_LENGTH', '$content_length']];

const scgiLength: readonly Row[] = ['# CONTENT_LENGTH is sent by nginx itself, as the first of all.', ['SCGI', '1']];

const connection: readonly Row[] = [
  '# The connection, as nginx sees it.',
  ['REQUEST_SCHEME', '$scheme'],
  ['HTTPS', '$https if_not_empty'],
  ['SERVER_NAME', '$server_name'],
  ['SERVER_ADDR', '$server_addr'],
  ['SERVER_PORT', '$server_port'],
  ['REMOTE_ADDR', '$remote_addr'],
  ['REMOTE_PORT', '$remote_port'],
  ['GATEWAY_INTERFACE', 'CGI/1.1'],
  ['SERVER_SOFTWARE', 'nginx/$nginx_version'],
  '# Two headers that do not go through as they come: see the map above, and CVE-2016-5385 (httpoxy).',
  ['HTTP_HOST', '$postern_host if_not_empty'],
  ['HTTP_PROXY', '""'],
];

const proxyHeaders: readonly Row[] = [
  '# Who asked, and how. What a client says of that itself does not get through; with another proxy in front that is',
  '# trusted, write $proxy_add_x_forwarded_for in place of $remote_addr.',
  ['X-Forwarded-For', '$remote_addr'],
  ['X-Forwarded-Host', '$postern_proxy_host'],
  ['X-Forwarded-Proto', '$scheme'],
  ['Forwarded', '""'],
  '# CVE-2016-5385 (httpoxy).',
  ['Proxy', '""'],
];

/** The target goes through as the client sent it, because no path follows the name of the upstream. */
function proxyPass(upstream: string): string[] {
  const header = (row: Row): string =>
    typeof row === 'string' ? row : `proxy_set_header ${row[0].padEnd(17)} ${row[1]};`;
  return [
    '# The app must listen with ?peer=nginx if it sends early hints (103): over HTTP/1.1 nginx takes them for the reply.',
    '# Without a path here the app gets the path as the client sent it.',
    `proxy_pass http://${upstream};`,
    'proxy_redirect off;',
    '',
    '# Both are needed for connections that are kept, and all three for WebSocket.',
    'proxy_http_version 1.1;',
    header(['Connection', '$postern_connection']),
    header(['Upgrade', '$postern_upgrade']),
    '',
    header(['Host', '$postern_proxy_host']),
    '',
    ...proxyHeaders.map(header),
    '',
  ];
}

function uploads(protocol: string, prefix: string): string[] {
  // seen with nginx 1.22.1: the length is counted from what of the body had come
  if (protocol === 'scgi')
    return ['# Leave scgi_request_buffering on: without it nginx names a wrong CONTENT_LENGTH, and uploads are cut.'];
  return [
    '# nginx takes the whole of an upload before the app hears of it. Off, the app gets it as it comes.',
    ...(protocol === 'uwsgi' ? ['# One of unknown length (chunked) is taken whole all the same.'] : []),
    `#${prefix}_request_buffering off;`,
  ];
}
