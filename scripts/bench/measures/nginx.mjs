import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChildServer } from '../child-server.mjs';
import { freePort } from '../free-port.mjs';
import { Load } from '../load.mjs';
import { startProgram } from '../programs.mjs';
import { pairedRounds } from '../rounds.mjs';
import { scenarios } from '../scenarios.mjs';
import { BusyShare, busyNote, targetFor } from '../sides.mjs';
import { median } from '../statistics.mjs';

const WARM_UP = 20_000;
const REQUESTS = 8000;

/** Debian's: its nginx need not be the one that runs. */
const fastcgiParams = `
  fastcgi_param QUERY_STRING $query_string; fastcgi_param REQUEST_METHOD $request_method;
  fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length;
  fastcgi_param SCRIPT_NAME $fastcgi_script_name; fastcgi_param REQUEST_URI $request_uri;
  fastcgi_param DOCUMENT_URI $document_uri; fastcgi_param DOCUMENT_ROOT $document_root;
  fastcgi_param SERVER_PROTOCOL $server_protocol; fastcgi_param REQUEST_SCHEME $scheme;
  fastcgi_param HTTPS $https if_not_empty; fastcgi_param GATEWAY_INTERFACE CGI/1.1;
  fastcgi_param SERVER_SOFTWARE nginx/$nginx_version; fastcgi_param REMOTE_ADDR $remote_addr;
  fastcgi_param REMOTE_PORT $remote_port; fastcgi_param REMOTE_USER $remote_user;
  fastcgi_param SERVER_ADDR $server_addr; fastcgi_param SERVER_PORT $server_port;
  fastcgi_param SERVER_NAME $server_name; fastcgi_param REDIRECT_STATUS 200; fastcgi_param HTTP_HOST $host;`;

/** The CPU of nginx and of the server behind it together, a request. One nginx with one worker asks both. */
export async function measure(row, options, context) {
  if (spawnSync('nginx', ['-v']).error !== undefined) return { absent: 'nginx' };
  const scenario = scenarios.find(({ name }) => name === 'hello');
  const sides = [];
  try {
    for (const [server, wire] of [
      [row.app, 'fastcgi'],
      ['node', 'http'],
    ]) {
      const child = await ChildServer.start(server, wire, targetFor(wire, options, context), context);
      sides.push({ child, port: await freePort(), busy: new BusyShare(), nginx: [] });
    }
    const [of, to] = sides;
    const nginx = await startNginx(of, to, options, context);
    for (const side of sides) {
      side.load = new Load(`nginx, ${row.app}`, 'http', scenario, { host: '127.0.0.1', port: side.port });
      await side.load.open(options.connections);
      await side.load.run(WARM_UP);
    }
    const requests = options.requests ?? REQUESTS;
    const samples = await pairedRounds(
      () => slice(of, nginx, requests),
      () => slice(to, nginx, requests),
      options,
    );
    nginx.end();
    const [first, second] = sides.map((side) => median(side.nginx).toFixed(1));
    const notes = [
      `of that nginx: ${first} µs with fastcgi_pass, ${second} µs with proxy_pass`,
      busyNote(of.busy, to.busy),
    ];
    return { samples, unit: 'µs of CPU a request', notes, requests };
  } finally {
    for (const { load, child } of sides) {
      load?.close();
      await child.stop();
    }
  }
}

async function slice(side, nginx, requests) {
  const { child, load } = side;
  const begin = performance.now();
  const before = [await child.cpu(), await nginx.cpu()];
  await load.run(requests);
  const server = (await child.cpu()) - before[0];
  const front = (await nginx.cpu()) - before[1];
  side.busy.add(server + front, (performance.now() - begin) * 1000);
  side.nginx.push(front / requests);
  return (server + front) / requests;
}

function startNginx(of, to, { connections }, context) {
  const path = join(context.folder, 'nginx');
  mkdirSync(path);
  const upstream = ({ child: { address } }) =>
    address.path ? `unix:${address.path}` : `${address.host}:${address.port}`;
  const temporary = ['client_body', 'fastcgi', 'proxy', 'scgi', 'uwsgi'].map(
    (name) => `${name}_temp_path ${path}/${name};`,
  );
  const text = `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; worker_processes 1; pid ${path}/pid;
error_log stderr notice;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 90s;
  ${temporary.join(' ')}
  upstream ours { server ${upstream(of)}; keepalive ${connections}; keepalive_requests 1000000000; }
  upstream nodes { server ${upstream(to)}; keepalive ${connections}; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${of.port}; server_name www.example.org;${fastcgiParams}
    location / { fastcgi_pass ours; fastcgi_keep_conn on; }
  }
  server {
    listen 127.0.0.1:${to.port}; server_name www.example.org;
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    location / { proxy_pass http://nodes; }
  }
}
`;
  const file = join(path, 'nginx.conf');
  writeFileSync(file, text);
  return startProgram('nginx', ['-p', path, '-c', file], { ready: /start worker process [0-9]/ }, context);
}
