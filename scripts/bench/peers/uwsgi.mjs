import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProgram } from '../programs.mjs';
import { findProgram, serverOf } from './find.mjs';

const source = fileURLToPath(new URL('./hello.py', import.meta.url));

export function absent() {
  return findProgram('uwsgi-core', 'uwsgi') === undefined ? 'uWSGI is not installed' : undefined;
}

export async function start(target, _connections, context) {
  // Python may write its cache beside the file
  copyFileSync(source, join(context.folder, 'hello.py'));
  const socket = 'path' in target ? target.path : '127.0.0.1:0';
  const args = [
    ...['--plugins', 'python3', '--wsgi-file', 'hello.py', '--need-app', '--die-on-term'],
    ...['--processes', '1', '--disable-logging', '--socket', socket],
  ];
  const options = { ready: /spawned uWSGI worker/, cwd: context.folder };
  const program = await startProgram(findProgram('uwsgi-core', 'uwsgi'), args, options, context);
  const port = Number(/bound to TCP address 127\.0\.0\.1:([0-9]+)/.exec(program.output)?.[1]);
  return serverOf(program, context, { address: 'path' in target ? target : { ...target, port } });
}
