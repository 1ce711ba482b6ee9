import type { X509Certificate } from 'node:crypto';

/**
 * SSL_CLIENT_CERT as web servers write it: PEM (Apache, lighttpd), PEM with a tab before each line (nginx
 * $ssl_client_cert), PEM percent-encoded (nginx $ssl_client_escaped_cert), or base64 alone (HAProxy).
 * @returns undefined where there is none, or it cannot be read
 */
export function parsePeerCertificate(text: unknown): X509Certificate | undefined {
  if (typeof text !== 'string' || text === '') return undefined;
  try {
    const plain = text.includes('%') ? decodeURIComponent(text) : text;
    const inner = /-----BEGIN [A-Z ]+-----([^-]*)-----END/.exec(plain)?.[1] ?? plain;
    const { X509Certificate } = process.getBuiltinModule('node:crypto');
    return new X509Certificate(Buffer.from(inner, 'base64'));
  } catch {
    return undefined;
  }
}
