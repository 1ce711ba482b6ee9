import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FrontEnd, type Served, servePostern, temporaryFolder } from '../../packages/testkit/src/index.ts';
import { curlExitCode } from './broken-transfer.ts';
import { multiplexing, replaced, startByConfig, type WebServer } from './by-config.ts';

/**
 * A reply that breaks off behind its head, as curl sees it through every front-end of FastCGI: the app throws, or its
 * process is killed. docs/explanation/compatibility.md has the table.
 */

const notKept = (text: string): string => replaced(text, 'fastcgi_keep_conn on;', '');
const reused = (text: string): string => replaced(text, 'flushpackets=on', 'flushpackets=on enablereuse=on');

/** What is hidden: a reply of this kind looks complete. Without Content-Length, that is; with it none does. */
const cases: { name: string; server: WebServer; edit?: (text: string) => string; hidden?: ('throw' | 'kill')[] }[] = [
  // nginx takes the end of the connection for the end of the reply
  { name: 'nginx, fastcgi_keep_conn on', server: 'nginx', hidden: ['kill'] },
  { name: 'nginx, fastcgi_keep_conn off', server: 'nginx', edit: notKept, hidden: ['kill'] },
  { name: 'Apache, enablereuse=off', server: 'apache' },
  { name: 'Apache, enablereuse=on', server: 'apache', edit: reused },
  { name: 'lighttpd', server: 'lighttpd' },
  { name: 'HAProxy, keep-conn', server: 'haproxy' },
  {
    name: 'HAProxy, no keep-conn',
    server: 'haproxy',
    edit: (text) => replaced(text, 'option keep-conn', 'no option keep-conn'),
  },
  { name: 'HAProxy, mpxs-conns', server: 'haproxy', edit: (text) => multiplexing(text, true) },
  // whatever comes, Caddy ends the reply as if it were whole
  { name: 'Caddy', server: 'caddy', hidden: ['throw', 'kill'] },
];

const folder = temporaryFolder();
const transports = {
  TCP: 'fastcgi://127.0.0.1:0',
  'a unix socket': `fastcgi+unix:${join(folder.path, 'app.sock')}?mode=0666`,
};

afterAll(() => folder.remove());

describe.each(Object.entries(transports))('over %s', (_, listen) => {
  let app: Served;
  let address: string;

  const serve = async (at: string): Promise<void> => {
    app = await servePostern('test/fixtures/plain.mjs', [at]);
  };
  beforeAll(async () => {
    await serve(listen);
    address = app.addresses[0];
  });
  afterAll(async () => {
    expect((await app.child.stop()).code).toBe(0);
  });

  describe.each(cases)('$name', ({ server, edit, hidden = [] }) => {
    let frontEnd: FrontEnd;

    beforeAll(async () => {
      frontEnd = await startByConfig(server, address, edit);
    });
    afterAll(() => frontEnd.stop());

    it('the app throws: without Content-Length, then with it', async () => {
      expect(await curlExitCode(frontEnd.port, '', 'SIGUSR2')).toBe(hidden.includes('throw') ? 0 : 18);
      expect(await curlExitCode(frontEnd.port, '?length=100000', 'SIGUSR2')).toBe(18);
    });

    it('the app is killed: without Content-Length, then with it', async () => {
      const killed = async (query: string): Promise<number | null> => {
        const code = await curlExitCode(frontEnd.port, query, 'SIGKILL');
        await app.child.ended();
        await serve(listen.includes('unix') ? listen : address);
        return code;
      };
      expect(await killed('')).toBe(hidden.includes('kill') ? 0 : 18);
      expect(await killed('?length=100000')).toBe(18);
    });
  });
});
