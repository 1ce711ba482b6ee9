import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProgram } from '../programs.mjs';
import { findProgram, serverOf } from './find.mjs';

const script = fileURLToPath(new URL('./hello.php', import.meta.url));

function find() {
  return findProgram('php-fpm', 'php-fpm8.4', 'php-fpm8.3', 'php-fpm8.2');
}

export function absent() {
  return find() === undefined ? 'PHP-FPM is not installed' : undefined;
}

/** A worker serves one connection at a time: there is one for each. */
export async function start(_target, connections, context) {
  const address = { path: join(context.folder, 'fpm.sock') };
  const file = join(context.folder, 'fpm.conf');
  const pool = ['[www]', `listen = ${address.path}`, 'pm = static', `pm.max_children = ${connections}`];
  const lines = ['[global]', `error_log = ${context.folder}/fpm.log`, 'daemonize = no', ...pool];
  writeFileSync(file, `${lines.join('\n')}\n`);
  // -O: its words come here; -R: root may run it, and has no meaning for others
  const args = ['-F', '-O', '-R', '-n', '-y', file];
  const program = await startProgram(find(), args, { ready: /ready to handle connections/ }, context);
  return serverOf(program, context, { address, variables: [['SCRIPT_FILENAME', script]] });
}
