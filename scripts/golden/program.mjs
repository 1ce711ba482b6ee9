import { chmodSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MOUNT } from './requests.mjs';

const postern = fileURLToPath(new URL('../../packages/postern/bin/postern.js', import.meta.url));
const app = fileURLToPath(new URL('../../test/fixtures/golden.mjs', import.meta.url));

/** Writes the app as a program that a web server can start. */
export function program(path) {
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${postern}' serve '${app}' --mount ${MOUNT}\n`);
  chmodSync(path, 0o755);
  return path;
}
