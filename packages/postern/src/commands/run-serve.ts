import { fstatSync } from 'node:fs';
import { ConfigError } from '@postern/core';
import { prepareApp } from '../interface.ts';
import { Lifetime } from '../lifetime.ts';
import { readLimitFlags } from '../limit-flags.ts';
import { loadApp } from '../load-app.ts';
import { ReadyFile } from '../ready-file.ts';
import { say } from '../say.ts';
import { planServing, type Served, type ServeOptions, startServing } from '../serve.ts';
import { single } from '../usage.ts';
import { serveNames } from './serve.ts';

/** Serves until it is stopped. @returns the exit code @throws ConfigError */
export async function runServe(args: Record<string, unknown>): Promise<number> {
  const given = args.listen as string[] | undefined;
  const options: ServeOptions = {
    listen: given ?? findListen(),
    interface: single(args.interface, 'interface') as ServeOptions['interface'],
    mount: single(args.mount, 'mount'),
    limits: readLimitFlags(args),
  };
  const plan = planServing(options);
  const readyPath = single(args['ready-file'], 'ready-file');
  const readyFile = readyPath === undefined ? undefined : new ReadyFile(readyPath);
  const lifetime = new Lifetime();
  const { app, path } = await loadApp(single(args.module, 'module') as string, process.cwd());
  const prepared = await prepareApp(app, options.interface, path);
  lifetime.loaded();
  let served: Served;
  try {
    served = await startServing(prepared, plan);
  } catch (error) {
    throw given === undefined ? noListen(error) : error;
  }
  try {
    readyFile?.write(served.addresses);
  } catch (error) {
    await served.close(0);
    throw error;
  }
  for (const address of served.addresses) say(`listening ${address}`);
  lifetime.serving(served, readyFile);
  return lifetime.ended;
}

/** Without --listen: what the process was started by says how. @throws ConfigError ERR_NOT_BUILT, ERR_USAGE */
function findListen(): string {
  if (process.env.GATEWAY_INTERFACE !== undefined && process.env.REQUEST_METHOD !== undefined) {
    throw new ConfigError(
      'ERR_NOT_BUILT',
      'CGI (GATEWAY_INTERFACE and REQUEST_METHOD are set): this version does not have it yet: give --listen and let the web server connect',
    );
  }
  if (!isSocket(0)) throw noListen(undefined);
  return 'fastcgi+fd:0';
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}

/** The descriptor 0 is a socket, but nobody listens on it: the process was not started by a web server. */
function noListen(error: unknown): unknown {
  if (error !== undefined && !(error instanceof ConfigError && error.code === 'ERR_FD')) return error;
  return new ConfigError('ERR_USAGE', `postern serve needs an address to listen on: ${serveNames.example}`, {
    cause: error,
  });
}
