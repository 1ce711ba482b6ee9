import { createServer } from 'node:http';
import { prepareApp } from '../../.cache/postern/interface.js';
import { planServing, startServing } from '../../.cache/postern/serve.js';
import golden from '../../test/fixtures/golden.mjs';

/**
 * Serves the app on addresses, all on free ports of loopback.
 * @param mount where it is mounted
 */
export async function listen(addresses, mount) {
  // without its listener the app gets a request of the waist over HTTP too, which has an environ
  const app = { ...(await prepareApp(golden, 'node')), listener: undefined };
  return startServing(app, planServing({ listen: addresses, mount }));
}

/** The app on node:http itself, which has no environ. */
export function listenNode() {
  const server = createServer(golden);
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      resolve({ port, close: () => new Promise((closed) => server.close(closed)) });
    });
  });
}
