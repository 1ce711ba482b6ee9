// Workers of node:cluster, each a child-server.ts: child-cluster.ts COUNT '{"target": …}'. Ended by SIGTERM.
import cluster from 'node:cluster';
import { join } from 'node:path';

const [count, options] = process.argv.slice(2);
cluster.setupPrimary({
  exec: join(__dirname, 'run-typescript.cjs'),
  args: [join(__dirname, 'child-server.ts'), options],
});
for (let i = 0; i < Number(count); i++) cluster.fork();

process.on('SIGTERM', () => {
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
  cluster.disconnect();
});
