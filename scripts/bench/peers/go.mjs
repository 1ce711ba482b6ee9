import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProgram } from '../programs.mjs';
import { findProgram, serverOf } from './find.mjs';

const source = fileURLToPath(new URL('./hello.go', import.meta.url));

export function absent() {
  return findProgram('go') === undefined ? 'Go is not installed' : undefined;
}

/** @throws Error the compiler's words */
export async function start(target, _connections, context) {
  const binary = join(context.folder, 'hello');
  const cache = join(context.folder, 'go-cache');
  const env = { ...process.env, GOCACHE: cache, GO111MODULE: 'off', GOFLAGS: '', GOMAXPROCS: '1' };
  const { status, stderr, error } = spawnSync(findProgram('go'), ['build', '-o', binary, source], {
    env,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`hello.go cannot be built:\n${stderr}`);
  const [network, address] = 'path' in target ? ['unix', target.path] : ['tcp', '127.0.0.1:0'];
  const program = await startProgram(binary, [network, address], { ready: /listening \S+/, env }, context);
  const port = Number(/:([0-9]+)$/.exec(program.output.trim())?.[1]);
  return serverOf(program, context, { address: 'path' in target ? target : { ...target, port } });
}
