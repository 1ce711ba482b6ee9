import { readFileSync } from 'node:fs';
import { ConfigError, describeError } from '@postern/core';

/** A certificate with those that vouch for it, and its key, as PEM. */
export interface ServerTls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

const kinds = {
  cert: { label: /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/, name: 'certificate' },
  key: { label: /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/, name: 'private key' },
} as const;

function refuse(message: string, cause?: unknown): never {
  throw new ConfigError('ERR_TLS_FILE', message, { cause });
}

/**
 * Reads what https:// needs, and tries it.
 * @throws ConfigError ERR_TLS_FILE: which file, and what is wrong with it
 */
export function readTlsFiles(files: { cert: string; key: string }): ServerTls {
  // what is not served over TLS does not load it
  const { createPrivateKey, X509Certificate } = process.getBuiltinModule('node:crypto');
  const { createSecureContext } = process.getBuiltinModule('node:tls');
  const tls = { cert: readPem('cert', files.cert), key: readPem('key', files.key) };
  let fit: boolean;
  try {
    createSecureContext(tls);
    // a key of another kind than the certificate's passes above
    fit = new X509Certificate(tls.cert).checkPrivateKey(createPrivateKey(tls.key));
  } catch (error) {
    refuse(explain(error, files), error);
  }
  if (!fit) refuse(mismatch(files));
  return tls;
}

function mismatch({ cert, key }: { cert: string; key: string }): string {
  return `key=${key}: it does not belong to cert=${cert}: name the key that the certificate was made with`;
}

function readPem(kind: 'cert' | 'key', path: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const why = { ENOENT: 'there is no such file', EACCES: 'no permission to read it', EISDIR: 'it is a folder' }[code];
    refuse(
      `${kind}=${path}: ${why ?? `it cannot be read (${code})`}: name the PEM file of the ${kinds[kind].name}`,
      error,
    );
  }
  const text = bytes.toString('latin1');
  if (!kinds[kind].label.test(text)) {
    const other = kind === 'cert' ? 'key' : 'cert';
    const swapped = kinds[other].label.test(text) ? `, but a ${kinds[other].name}` : '';
    refuse(`${kind}=${path}: it holds no ${kinds[kind].name} as PEM${swapped}: name a file that does`);
  }
  return bytes;
}

function explain(error: unknown, files: { cert: string; key: string }): string {
  const { cert, key } = files;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') return mismatch(files);
  // what OpenSSL says of it changes from time to time
  if (/ENCRYPTED/.test(readFileSync(key, 'latin1')))
    return `key=${key}: it is encrypted: name a key without a passphrase`;
  const what = describeError(error).replace(/ at .*/, '');
  return `cert=${cert}, key=${key}: they cannot be used (${what}): name intact PEM files`;
}
