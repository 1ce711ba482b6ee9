import { expect } from '@jest/globals';
import {
  type FrontEnd,
  freePort,
  startApache,
  startCaddy,
  startHaproxy,
  startLighttpd,
  startNginx,
  startPostern,
} from '../../packages/testkit/src/index.ts';

export type WebServer = 'nginx' | 'apache' | 'lighttpd' | 'caddy' | 'haproxy';

const asPrinted = (text: string): string => text;

/** A web server with what `postern config` prints for it, unless that is edited. */
export async function startByConfig(
  server: WebServer,
  listen: string,
  edit = asPrinted,
  flags: string[] = [],
): Promise<FrontEnd> {
  const port = await freePort();
  const printed = startPostern(['config', server, '--listen', listen, '--server-name', `127.0.0.1:${port}`, ...flags]);
  expect(await printed.ended()).toEqual({ code: 0, signal: null });
  const config = (): string => edit(printed.output());
  switch (server) {
    case 'nginx':
      return startNginx(config, port);
    case 'caddy':
      return startCaddy(config, port);
    case 'haproxy':
      return startHaproxy(config, port);
    case 'apache':
      return { ...(await startApache([], config)), port };
    case 'lighttpd':
      return { ...(await startLighttpd(config)), port };
  }
}

/** Replaces what must be there. */
export function replaced(text: string, from: string, to: string): string {
  expect(text).toContain(from);
  return text.replace(from, to);
}

/** Takes the lines in that HAProxy needs for several requests at once on a connection. */
export function multiplexing(text: string, getValues: boolean): string {
  let edited = replaced(text, '#option mpxs-conns', 'option mpxs-conns');
  edited = replaced(edited, '#option max-reqs 128', 'option max-reqs 128');
  edited = replaced(edited, '    server app', '    http-reuse always\n    server app');
  return getValues ? replaced(edited, '#option get-values', 'option get-values') : edited;
}
