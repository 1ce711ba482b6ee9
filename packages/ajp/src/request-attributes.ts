import { ConfigError, printable } from '@postern/core';

/** The request attributes (code 10) that are let in always, and the variable that each becomes. */
const usual: ReadonlyMap<string, string> = new Map([
  ['AJP_LOCAL_ADDR', 'SERVER_ADDR'],
  ['AJP_REMOTE_PORT', 'REMOTE_PORT'],
  ['AJP_SSL_PROTOCOL', 'SSL_PROTOCOL'],
  ['JK_LB_ACTIVATION', 'JK_LB_ACTIVATION'],
  ['javax.servlet.request.cipher_suite', 'SSL_CIPHER'],
  ['javax.servlet.request.key_size', 'SSL_CIPHER_USEKEYSIZE'],
  ['javax.servlet.request.ssl_session', 'SSL_SESSION_ID'],
  ['javax.servlet.request.X509Certificate', 'SSL_CLIENT_CERT'],
  // IIS, by way of mod_jk
  ['CERT_ISSUER', 'CERT_ISSUER'],
  ['CERT_SUBJECT', 'CERT_SUBJECT'],
  ['CERT_COOKIE', 'CERT_COOKIE'],
  ['CERT_FLAGS', 'CERT_FLAGS'],
  ['CERT_SERIALNUMBER', 'CERT_SERIALNUMBER'],
  ['HTTPS_SERVER_SUBJECT', 'HTTPS_SERVER_SUBJECT'],
  ['HTTPS_SERVER_ISSUER', 'HTTPS_SERVER_ISSUER'],
  ['HTTPS_SECRETKEYSIZE', 'HTTPS_SECRETKEYSIZE'],
  ['HTTPS_KEYSIZE', 'HTTPS_KEYSIZE'],
]);

/** Variables that say who asks for what (RFC 3875 §4.1), which no request attribute may become. */
const reserved = new RegExp(
  [
    '^(?:HTTP_|HTTPS|SSL_|CONTENT_|REMOTE_|REQUEST_|SERVER_|UWSGI_)',
    '^(?:gateway|wsgi|psgi|sgi|jsgi|psgix)\\.',
    '^(?:AUTH_TYPE|GATEWAY_INTERFACE|PATH_INFO|PATH_TRANSLATED|QUERY_STRING|SCRIPT_NAME|RAW_URI|AJP_ROUTE)$',
    '^(?:__proto__|constructor|prototype)$',
  ].join('|'),
);

/**
 * The request attributes that are let in and the variable that each becomes: the usual ones, and `more`, each as a
 * variable of its own name.
 * @throws ConfigError ERR_OPTION: a name that no variable can have, or of a variable that says who asks for what
 */
export function letIn(more: readonly string[] = []): ReadonlyMap<string, string> {
  if (more.length === 0) return usual;
  const names = new Map(usual);
  for (const name of more) {
    if (usual.has(name)) continue;
    if (!/^[!-<>-~]{1,256}$/.test(name) || reserved.test(name)) {
      throw new ConfigError(
        'ERR_OPTION',
        `attributes: "${printable(name.slice(0, 80))}" cannot be let in: it is no name, or that of a variable that the protocol sets`,
      );
    }
    names.set(name, name);
  }
  return names;
}
