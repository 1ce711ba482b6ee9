import { ConfigError, describeError, limitsWith } from '@postern/core';
import { CgiRequest } from '@postern/server';
import { CgiLife } from '../cgi-life.ts';
import { claimStdout } from '../claim-stdout.ts';
import { checkInterface, type PreparedApp, prepareApp } from '../interface.ts';
import { loadApp } from '../load-app.ts';
import { normaliseMount } from '../mount.ts';
import { say } from '../say.ts';
import { endsWithin } from '../serve.ts';
import { readServeFlags } from './serve-flags.ts';

/**
 * Serves the one request of a process that a web server has started as a CGI program. Whatever goes wrong, a reply is
 * written: without one a web server tells of a malformed head, and not of what happened.
 * @returns the exit code: 0 the reply is complete, or the web server has left; 1 the app failed, or was given up
 * @throws ConfigError
 */
export async function runCgi(args: Record<string, unknown>): Promise<number> {
  // from here on nothing but the reply may be written there, whatever the app prints while it loads
  const stdout = claimStdout();
  const life = new CgiLife();
  try {
    const { module, interface: kind, ...flags } = readServeFlags(args);
    checkInterface(kind);
    const limits = limitsWith(flags.limits);
    const mount = normaliseMount(flags.mount);
    const { app, path } = await loadApp(module, process.cwd());
    if (app === undefined)
      throw new ConfigError(
        'ERR_ROLE',
        `${path} exports no app: a CGI program is never asked as an authorizer or filter: serve it over FastCGI, or export an app as default`,
      );
    const prepared = await prepareApp(app, kind, path);
    const request = new CgiRequest(prepared.handler, { limits, mount, stdout });
    life.serving(request);
    const complete = await request.done;
    // what the app has left rejected is told by the end of the turn
    await new Promise((resolve) => setImmediate(resolve));
    await endsWithin(closed(prepared), limits.grace);
    return complete ? 0 : 1;
  } catch (error) {
    life.refuse();
    throw error;
  }
}

async function closed({ close }: PreparedApp): Promise<void> {
  try {
    await close?.();
  } catch (error) {
    say(`ERR_APP_ERROR: the application could not be closed: ${describeError(error)}`);
  }
}
