/**
 * Makes a `net.Server` listen.
 * @param {{ path: string } | { host: string, port: number }} target
 * @returns {Promise<{ path: string } | { host: string, port: number }>} where to connect to
 */
export function listenOn(server, target) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(target, () => resolve('path' in target ? target : { ...target, port: server.address().port }));
  });
}
