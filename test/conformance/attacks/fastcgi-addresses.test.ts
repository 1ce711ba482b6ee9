import { linkSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { type Child, repository, request, startChild, temporaryFolder } from '@postern/testkit';
import { atEnd, connectTo, type Peer } from './attacked.ts';

/** `postern serve` on a socket that was handed over, as spawn-fcgi does, and a connection to it. */
async function handedOver(path: string | undefined, allowed: string): Promise<{ peer: Peer; child: Child }> {
  const opener = createServer();
  await new Promise<void>((resolve) => opener.listen(path ?? { host: '127.0.0.1', port: 0 }, resolve));
  const { fd } = (opener as unknown as { _handle: { fd: number } })._handle;
  const { port } = opener.address() as AddressInfo;
  const words = ['packages/postern/bin/postern.js', 'serve', 'test/fixtures/plain.mjs'];
  const child = startChild(process.execPath, words, {
    cwd: repository,
    env: { ...process.env, FCGI_WEB_SERVER_ADDRS: allowed },
    stdio: [fd, 'pipe', 'pipe'],
  });
  atEnd(() => child.stop('SIGKILL'));
  await child.said(/listening fastcgi\+fd:0/);
  // only the child can answer then; Node removes the path of a socket that it closes
  const kept = `${path}.kept`;
  if (path !== undefined) linkSync(path, kept);
  opener.close();
  const peer = await connectTo(path === undefined ? { host: '127.0.0.1', port } : { path: kept });
  atEnd(() => peer.socket.destroy());
  peer.write(request());
  return { peer, child };
}

it('F9: who is not in FCGI_WEB_SERVER_ADDRS is turned away from a socket that was handed over', async () => {
  const { peer, child } = await handedOver(undefined, '192.0.2.1,2001:db8::1');
  await peer.gone();
  expect(peer.size).toBe(0);
  await child.said(/rule=ERR_PEER .*127\.0\.0\.1/);
});

it('F9: so is everybody who does not come over TCP', async () => {
  const { path, remove } = temporaryFolder();
  atEnd(remove);
  const { peer } = await handedOver(join(path, 's'), '127.0.0.1');
  await peer.gone();
  expect(peer.size).toBe(0);
});

it('F9: who is in FCGI_WEB_SERVER_ADDRS is served', async () => {
  const { peer } = await handedOver(undefined, '192.0.2.1, 127.0.0.1');
  expect((await peer.reply()).stdout).toMatch(/^Status: 200 /);
});
