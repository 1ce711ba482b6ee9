import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOST } from './ask.mjs';

/** A certificate for the sites and its key, made by openssl, and both in one file. */
export function makeCertificate(folder) {
  const [cert, key, both] = ['site.crt', 'site.key', 'site.pem'].map((name) => join(folder, name));
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const subject = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`];
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  writeFileSync(both, readFileSync(cert, 'latin1') + readFileSync(key, 'latin1'), { mode: 0o600 });
  return { cert, key, both };
}
