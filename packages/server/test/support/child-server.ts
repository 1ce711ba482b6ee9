// A server in a process of its own: child-server.ts '{"target": …}'. Says `listening …` or `refused CODE message`.
import { fastcgi } from '@postern/fastcgi';
import { Server } from '../../src/server.ts';

const options = JSON.parse(process.argv[2]);
if (options.umask !== undefined) process.umask(options.umask);
if (options.gid !== undefined) {
  process.setgroups?.([]);
  process.setgid?.(options.gid);
}
if (options.uid !== undefined) process.setuid?.(options.uid);

const server = new Server((exchange) => exchange.respond(200, 'OK', [], `served by ${process.pid}`), {
  log: ({ code, message }) => console.log(`logged ${code} ${message}`),
});

function stop(): void {
  server.close(0).then((complete) => console.log(`closed ${complete}`));
}

process.on('SIGTERM', stop);
server.listen(fastcgi, options.target).then(
  (address) => {
    console.log(`listening ${JSON.stringify(address)}`);
    console.log(`environment ${Object.keys(process.env)}`);
    if (options.unref === true) server.unref();
  },
  (error) => {
    console.log(`refused ${error.code} ${error.message}`);
    process.exitCode = 2;
  },
);
