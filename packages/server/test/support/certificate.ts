import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { temporaryFolder } from '@postern/testkit';

export interface MadeCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A folder with a certificate for `localhost` and its key, made by openssl. */
export function makeCertificate(folder: string, name = 'a'): MadeCertificate {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  return { cert, key };
}

/** The same in a folder of its own. */
export function temporaryCertificate(): MadeCertificate & { folder: string; remove: () => void } {
  const { path, remove } = temporaryFolder();
  return { ...makeCertificate(path), folder: path, remove };
}
