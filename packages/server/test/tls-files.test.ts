import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigError } from '@postern/core';
import { readTlsFiles } from '../src/tls-files.ts';
import { makeCertificate, temporaryCertificate } from './support/certificate.ts';

let made: ReturnType<typeof temporaryCertificate>;
beforeAll(() => {
  made = temporaryCertificate();
});
afterAll(() => made.remove());

function failure(files: { cert?: string; key?: string }): ConfigError {
  try {
    readTlsFiles({ cert: made.cert, key: made.key, ...files });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).not.toContain('\n');
    expect((error as Error).message).not.toContain('-----');
    return error as ConfigError;
  }
  throw new Error('the files were taken');
}

/** A file in the folder. */
function file(name: string, text: string | Buffer): string {
  const path = join(made.folder, name);
  writeFileSync(path, text);
  return path;
}

describe('readTlsFiles', () => {
  it('reads a certificate and its key', () => {
    const { cert, key } = readTlsFiles(made);
    expect(cert).toEqual(readFileSync(made.cert));
    expect(key).toEqual(readFileSync(made.key));
  });

  it('takes a certificate that is followed by others', () => {
    const chain = file('chain.crt', Buffer.concat([readFileSync(made.cert), readFileSync(made.cert)]));
    expect(readTlsFiles({ ...made, cert: chain }).cert.length).toBeGreaterThan(1000);
  });

  it('tells which file is not there, is a folder, or holds something else', () => {
    mkdirSync(join(made.folder, 'd'));
    const cases: [{ cert?: string; key?: string }, string][] = [
      [{ cert: '/nowhere/a.crt' }, 'cert=/nowhere/a.crt: there is no such file: name the PEM file of the certificate'],
      [{ key: '/nowhere/a.key' }, 'key=/nowhere/a.key: there is no such file: name the PEM file of the private key'],
      [{ cert: join(made.folder, 'd') }, 'it is a folder'],
      [{ cert: file('text', 'hello') }, 'it holds no certificate as PEM: name a file that does'],
      [{ key: file('empty', '') }, 'it holds no private key as PEM'],
      [{ cert: made.key }, 'it holds no certificate as PEM, but a private key'],
      [{ key: made.cert }, 'it holds no private key as PEM, but a certificate'],
    ];
    for (const [files, message] of cases) {
      const error = failure(files);
      expect(error.code).toBe('ERR_TLS_FILE');
      expect(error.message).toContain(message);
    }
  });

  it('tells of a key of another certificate, of the same kind and of another', () => {
    const other = makeCertificate(made.folder, 'other');
    expect(failure({ key: other.key }).message).toBe(
      `key=${other.key}: it does not belong to cert=${made.cert}: name the key that the certificate was made with`,
    );
    const rsa = join(made.folder, 'rsa.key');
    execFileSync('openssl', ['genrsa', '-out', rsa, '2048'], { stdio: 'ignore' });
    expect(failure({ key: rsa }).message).toContain('it does not belong to');
  });

  it('tells of an encrypted key', () => {
    const locked = join(made.folder, 'locked.key');
    execFileSync('openssl', ['pkey', '-in', made.key, '-aes256', '-passout', 'pass:x', '-out', locked]);
    expect(failure({ key: locked }).message).toBe(`key=${locked}: it is encrypted: name a key without a passphrase`);
  });

  it('tells of PEM that is damaged', () => {
    const text = readFileSync(made.cert, 'utf8');
    const damaged = file('damaged.crt', `${text.slice(0, 60)}@${text.slice(61)}`);
    expect(failure({ cert: damaged }).message).toMatch(
      /^cert=.*they cannot be used \(Error: [^\n]*\): name intact PEM files$/,
    );
  });
});
