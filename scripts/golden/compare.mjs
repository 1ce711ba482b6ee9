/** What the environs are compared in: RFC 3875's variables, REQUEST_URI and REQUEST_SCHEME, the headers, and TLS. */
const ofRequest = [
  ...['AUTH_TYPE', 'CONTENT_LENGTH', 'CONTENT_TYPE', 'GATEWAY_INTERFACE', 'HTTPS', 'PATH_INFO', 'QUERY_STRING'],
  ...['REMOTE_ADDR', 'REMOTE_HOST', 'REMOTE_IDENT', 'REMOTE_PORT', 'REMOTE_USER', 'REQUEST_METHOD', 'REQUEST_SCHEME'],
  ...['REQUEST_URI', 'SCRIPT_NAME', 'SERVER_ADDR', 'SERVER_NAME', 'SERVER_PORT', 'SERVER_PROTOCOL'],
];
/** Compared where a web server tells it. */
const whereTold = ['SSL_PROTOCOL', 'SSL_CIPHER'];

/**
 * What is compared of an answer, flat and in order: the environ, `req.url` and the body. Ports and the like have
 * placeholders.
 * @param backEnd the port that the app itself listens on
 */
export function comparable({ status, environ, url, body, port }, backEnd) {
  if (status !== undefined) return { status };
  const found = { 'req.url': url, body };
  for (const [name, value] of Object.entries(environ)) {
    if (ofRequest.includes(name) || name.startsWith('HTTP_') || whereTold.includes(name))
      found[name] = placeholder(name, value, port, backEnd);
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function placeholder(name, value, port, backEnd) {
  if (name === 'REMOTE_PORT') return /^[1-9][0-9]{0,4}$/.test(value) ? '(a port)' : value;
  if (name === 'SSL_CIPHER') return /^[A-Z0-9_-]+$/.test(value) ? '(a cipher)' : value;
  if (name === 'SERVER_PORT' && value === String(port)) return '(port)';
  if (name === 'SERVER_PORT' && value === String(backEnd)) return '(port of the app)';
  return value.replaceAll(`:${port}`, ':(port)').replaceAll(`:${backEnd}`, ':(port of the app)');
}

/** What differs from the reference, by name: the value instead, or null where there is none. */
export function differences(reference, answer) {
  if (answer.status !== undefined) return answer;
  const found = {};
  for (const name of new Set([...Object.keys(reference), ...Object.keys(answer)])) {
    if (whereTold.includes(name) && answer[name] === undefined) continue;
    if (reference[name] !== answer[name]) found[name] = answer[name] ?? null;
  }
  return found;
}
