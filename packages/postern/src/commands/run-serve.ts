import { ConfigError } from '@postern/core';
import { isCgi } from '@postern/server';
import { isListening } from '../inherited-socket.ts';
import { Lifetime } from '../lifetime.ts';
import { loadApp } from '../load-app.ts';
import { ReadyFile } from '../ready-file.ts';
import { prepareRoles } from '../roles.ts';
import { say } from '../say.ts';
import { planServing, type Served, startServing } from '../serve.ts';
import { single } from '../usage.ts';
import { runCgi } from './run-cgi.ts';
import { readServeFlags } from './serve-flags.ts';

/** Where an app is served that nothing else is known of: for its developer, on this machine alone. */
const DEVELOPMENT = 'http://127.0.0.1:8080';

/** Serves until it is stopped, or the one request of a CGI program. @returns the exit code @throws ConfigError */
export async function runServe(args: Record<string, unknown>): Promise<number> {
  const given = args.listen as string[] | undefined;
  if (given === undefined && isCgi()) return runCgi(args);
  const { module, ...flags } = readServeFlags(args);
  const plan = planServing({ ...flags, listen: given ?? (isListening(0) ? 'fastcgi+fd:0' : DEVELOPMENT) });
  const readyPath = single(args['ready-file'], 'ready-file');
  const readyFile = readyPath === undefined ? undefined : new ReadyFile(readyPath);
  const lifetime = new Lifetime();
  const { path, ...exported } = await loadApp(module, process.cwd());
  const prepared = await prepareRoles(exported, flags.interface, path);
  lifetime.loaded();
  let served: Served;
  try {
    served = await startServing(prepared, plan);
  } catch (error) {
    throw given === undefined ? withoutListen(error) : error;
  }
  try {
    readyFile?.write(served.addresses);
  } catch (error) {
    await served.close(0);
    throw error;
  }
  for (const address of served.addresses) say(`listening ${address}`);
  // what is missing here is not asked
  if (prepared.roles !== undefined && plan.addresses.some(({ protocol }) => /^(?:fastcgi|auto)$/.test(protocol)))
    say(`serving roles: ${prepared.roles.join(', ')}`);
  lifetime.serving(served, readyFile);
  return lifetime.ended;
}

/** Nobody asked for the address that is taken. */
function withoutListen(error: unknown): unknown {
  if (!(error instanceof ConfigError && error.code === 'ERR_ADDRESS_IN_USE')) return error;
  return new ConfigError(
    error.code,
    `${new URL(DEVELOPMENT).host}: another process listens there: stop it, or give an address: --listen http://127.0.0.1:8081`,
    { cause: error },
  );
}
