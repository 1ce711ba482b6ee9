/**
 * Why an environ differs from that of a request without a web server, and what mends it. `on` matches
 * "front-end/column", `row` the name of a row, `only` that of a request; `names` are those that differ, or `status` is what
 * is answered instead.
 */
export const explanations = [
  {
    on: /^(?!caddy|apache\/mod_(?:cgid|proxy_(?:ajp|scgi|uwsgi))|haproxy\/http)/,
    row: /^chunked$/,
    names: /^CONTENT_LENGTH$/,
    reason:
      'The web server has taken the upload before it asks the app, so it knows the length that the client did not state.',
    setting:
      'None is needed: an app must take both. nginx passes uploads on as they come with `fastcgi_request_buffering off` or `proxy_request_buffering off`.',
  },
  {
    on: /^apache\/mod_proxy_(?:scgi|uwsgi)$/,
    row: /^chunked$/,
    status: 411,
    reason:
      'Apache does not take an upload whole before it asks, and SCGI and uwsgi have no form for an unknown length: it answers 411 by itself.',
    setting: 'mod_proxy_fcgi or mod_proxy_ajp.',
  },
  {
    on: /\/(?:http|mod_proxy_http)$/,
    names: /^(?:SERVER_PORT|SERVER_ADDR|REMOTE_ADDR|HTTPS|REQUEST_SCHEME)$/,
    reason:
      'Over HTTP the client is the web server: these are of its connection to the app, which has its own port, no TLS, and an address of its own.',
    setting:
      'An app that trusts its web server reads X-Forwarded-For and X-Forwarded-Proto (Express: `trust proxy`). Every other protocol tells the truth by itself.',
  },
  {
    on: /\/(?:http|mod_proxy_http)$/,
    names: /^HTTP_X_(?:FORWARDED_(?:FOR|HOST|PROTO|SERVER)|HOST)$/,
    reason: 'The web server says in these what HTTP has no other place for.',
    setting: 'None: they are what the note before needs.',
  },
  {
    on: /^caddy\/fastcgi$/,
    names: /^HTTP_X_FORWARDED_(?:FOR|HOST|PROTO)$/,
    reason: 'Caddy adds these over FastCGI too, where REMOTE_ADDR, HTTP_HOST and REQUEST_SCHEME say the same.',
    setting: '`header_up -X-Forwarded-For` and its like within `reverse_proxy`.',
  },
  {
    on: /^caddy\/fastcgi$/,
    names: /^SERVER_ADDR$/,
    reason: 'Caddy 2.6 does not tell the address that it was asked at, and has no placeholder for it.',
    setting: '`env SERVER_ADDR ADDRESS` within `transport fastcgi`, where there is but one.',
  },
  {
    on: /\/(?:http|ajp|mod_proxy_(?:http|ajp|scgi)|fastcgi, (?:fastcgi_params|docroot alone))$/,
    row: /^mounted$/,
    names: /^(?:SCRIPT_NAME|PATH_INFO)$/,
    reason:
      'Nothing says which part of the path is a prefix of the web server: the protocol or the module has no place for it, or the configuration names none.',
    setting: '`mount`: the app is told the prefix itself, as in the other requests of this column.',
  },
  {
    on: /^apache\/mod_proxy_(?:ajp|http)$/,
    row: /^\/\/$/,
    names: /^(?:REQUEST_URI|req\.url)$/,
    reason: 'Apache merges slashes in the path that it passes on, whatever `nocanon` says.',
    setting: '`MergeSlashes Off` keeps them, but for those at the beginning.',
  },
  {
    on: /\/(?:ajp|mod_proxy_ajp)$/,
    row: /^query$/,
    names: /^(?:REQUEST_URI|req\.url)$/,
    only: /\/q\?$/,
    reason: 'AJP has a query or none: one that is empty is lost, and with it the question mark.',
    setting: 'None.',
  },
  {
    on: /^lighttpd\/ajp$/,
    names: /^(?:REMOTE_PORT|SERVER_ADDR)$/,
    reason: 'mod_ajp13 does not tell them.',
    setting: 'FastCGI, SCGI or uwsgi.',
  },
  {
    on: /^lighttpd\/ajp$/,
    row: /^(?:%2F|\/\/|dots)$/,
    names: /^(?:REQUEST_URI|req\.url)$/,
    reason: 'mod_ajp13 sends the decoded path in place of the one that the client sent.',
    setting: 'FastCGI, SCGI or uwsgi.',
  },
  {
    on: /^lighttpd\/http$/,
    row: /^(?:%2F|\/\/|dots)$/,
    names: /^(?:REQUEST_URI|req\.url)$/,
    reason: 'lighttpd passes the path on as it has normalised it.',
    setting: '`server.http-parseopts = ( "url-normalize" => "disable" )`, or FastCGI, SCGI or uwsgi.',
  },
  {
    on: /^lighttpd\/(?:ajp|http)$/,
    row: /^query$/,
    names: /^(?:QUERY_STRING|REQUEST_URI|req\.url)$/,
    only: /\/q\?\[x\]/,
    reason: 'lighttpd makes the escapes of the query regular. They mean the same.',
    setting: '`server.http-parseopts = ( "url-normalize" => "disable" )`, or FastCGI, SCGI or uwsgi.',
  },
  {
    on: /^apache\/mod_proxy_http$/,
    row: /^cookies$/,
    names: /^HTTP_COOKIE$/,
    reason:
      'Apache joins Cookie fields with a comma. Over the other protocols that is mended; a listener for HTTP does not know its peer.',
    setting: '`RequestHeader edit* Cookie ", (?=[^ ;,=]+=)" "; "`. Browsers send one field over HTTP/1.1.',
  },
  {
    on: /^(?:nginx\/fastcgi, fastcgi_params|haproxy\/fastcgi, docroot alone)$/,
    row: /^auth$/,
    names: /^(?:REMOTE_USER|AUTH_TYPE)$/,
    reason:
      '**No password was checked**: the web server takes REMOTE_USER out of any Authorization header that a client sends.',
    setting: 'What `postern config` prints, which names a user only where the web server has asked for a password.',
  },
  {
    on: /^nginx\/fastcgi, fastcgi_params$/,
    names: /^HTTP_HOST$/,
    reason: "Debian's fastcgi_params sets HTTP_HOST to $host, which has no port.",
    setting: 'What `postern config` prints.',
  },
  {
    on: /^haproxy\/fastcgi, docroot alone$/,
    names: /^SERVER_ADDR$/,
    reason: 'HAProxy does not tell the address that it was asked at.',
    setting: '`set-param SERVER_ADDR %[dst]`, which `postern config` prints.',
  },
];

/** The explanation of one difference; undefined: there is none. */
export function explain(column, row, request, name, value) {
  return explanations.find(
    ({ on, row: rows, names, status, only }) =>
      on.test(column) &&
      (rows === undefined || rows.test(row)) &&
      (only === undefined || only.test(request)) &&
      (name === 'status' ? status === value : names?.test(name)),
  );
}
