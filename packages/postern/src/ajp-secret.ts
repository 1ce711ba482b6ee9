import { readFileSync } from 'node:fs';
import { ConfigError, printable } from '@postern/core';

const LONGEST = 255;

function refuse(message: string, cause?: unknown): never {
  throw new ConfigError('ERR_SECRET', message, { cause });
}

/** Bytes as latin-1. @throws ConfigError ERR_SECRET */
function checked(bytes: Buffer, where: string): string {
  if (bytes.length === 0 || bytes.length > LONGEST)
    refuse(`${where} has ${bytes.length} bytes: a secret has from 1 to ${LONGEST}`);
  if (bytes.includes(0)) refuse(`${where} holds NUL: a secret cannot`);
  return bytes.toString('latin1');
}

/**
 * The secret in a file, without one line end behind it.
 * @throws ConfigError ERR_SECRET: it cannot be read, is empty or too long; the message does not hold it
 */
export function readSecretFile(path: string, address: string): string {
  const where = `secret-file="${printable(path)}" in address "${printable(address)}":`;
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const why = { ENOENT: 'there is no such file', EACCES: 'no permission to read it', EISDIR: 'it is a folder' }[code];
    refuse(`${where} ${why ?? `it cannot be read (${code})`}: name a file that this process may read`, error);
  }
  const end = bytes.at(-1) === 10 ? (bytes.at(-2) === 13 ? 2 : 1) : 0;
  return checked(bytes.subarray(0, bytes.length - end), `${where} it`);
}

/** AJP_SECRET, which holds where no secret-file is named. @throws ConfigError ERR_SECRET */
export function environmentSecret(): string | undefined {
  const { AJP_SECRET: secret } = process.env;
  return secret === undefined || secret === ''
    ? undefined
    : checked(Buffer.from(secret), 'AJP_SECRET in the environment');
}
