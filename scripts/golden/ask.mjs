import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';

/** The name of every site. */
export const HOST = 'golden.test';

/**
 * Asks a site, as the request says.
 * @param ports where the site listens, without TLS and with it
 * @returns what the app tells, or the status with which somebody else has answered
 */
export function ask({ target, method = 'GET', headers = [], body, address = '127.0.0.1', tls = false }, ports) {
  const port = tls ? ports.tls : ports.plain;
  const options = {
    host: address,
    port,
    path: target,
    method,
    headers: ['Host', `${HOST}:${port}`, ...(body === undefined ? [] : ['Transfer-Encoding', 'chunked']), ...headers],
    agent: false,
    ...(tls && { servername: HOST, rejectUnauthorized: false }),
  };
  return new Promise((resolve, reject) => {
    const asked = (tls ? requestHttps : requestHttp)(options, (response) => {
      text(response).then((told) => resolve(read(response.statusCode, told, port)), reject);
    });
    asked.on('error', reject);
    for (const piece of body ?? []) asked.write(piece);
    asked.end();
  });
}

function read(status, told, port) {
  if (status !== 200) return { status };
  return { port, ...JSON.parse(told) };
}
