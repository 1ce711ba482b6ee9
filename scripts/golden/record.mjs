import { temporaryFolder } from '../../packages/testkit/dist/index.js';
import { ask } from './ask.mjs';
import { makeCertificate } from './certificate.mjs';
import { freePorts } from './free-ports.mjs';
import * as apache from './front-ends/apache.mjs';
import * as caddy from './front-ends/caddy.mjs';
import * as haproxy from './front-ends/haproxy.mjs';
import * as lighttpd from './front-ends/lighttpd.mjs';
import * as nginx from './front-ends/nginx.mjs';
import { listen, listenNode } from './listeners.mjs';
import { MOUNT, PREFIX, rows } from './requests.mjs';

export const frontEnds = { nginx, apache, lighttpd, caddy, haproxy };

/** Asks every web server over every protocol, each of them started once. */
export async function record(names = Object.keys(frontEnds)) {
  const { path: folder, remove } = temporaryFolder();
  const closing = [remove];
  try {
    const certificate = makeCertificate(folder);
    const reference = await askDirectly(certificate, closing);
    const recorded = {};
    for (const name of names) recorded[name] = await askThrough(frontEnds[name], { certificate }, closing);
    return { reference, recorded };
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

async function askThrough({ columns, start }, context, closing) {
  const listening = columns.filter(({ protocol }) => protocol !== undefined);
  const served = await listen(
    listening.map(({ protocol, query = '' }) => `${protocol}://127.0.0.1:0${query}`),
    MOUNT,
  );
  closing.push(() => served.close(0));
  const addresses = new Map(listening.map(({ name, query = '' }, i) => [name, served.addresses[i] + query]));
  const ports = await freePorts(columns.length * 2);
  const sites = columns.map((column, i) => ({
    ...column,
    ports: { plain: ports[i * 2], tls: ports[i * 2 + 1] },
    address: addresses.get(column.name),
  }));
  const frontEnd = await start(sites, context);
  closing.push(() => frontEnd.stop());
  const told = await Promise.all(sites.map((site) => askAll(site.ports)));
  return Object.fromEntries(sites.map(({ name, address }, i) => [name, { address, told: told[i] }]));
}

async function askAll(ports) {
  const told = [];
  for (const { asks } of rows) {
    const row = [];
    for (const request of asks) row.push(await ask(request, ports));
    told.push(row);
  }
  return told;
}

/** The app asked without a web server: by our own listener for HTTP, and `req.url` by node:http. */
async function askDirectly({ cert, key }, closing) {
  const secure = `https://127.0.0.1:0?cert=${encodeURIComponent(cert)}&key=${encodeURIComponent(key)}`;
  const [served, own, node] = [
    await listen(['http://127.0.0.1:0', secure, 'http://[::1]:0'], MOUNT),
    await listen(['http://127.0.0.1:0'], PREFIX),
    await listenNode(),
  ];
  closing.push(
    () => served.close(0),
    () => own.close(0),
    node.close,
  );
  const port = (address) => Number(/:(\d+)$/.exec(address)[1]);
  const [plain, tls, six] = served.addresses.map(port);
  const portsFor = ({ prefix, address }) => ({
    plain: prefix ? port(own.addresses[0]) : address === undefined ? plain : six,
    tls,
  });
  const told = [];
  for (const { asks } of rows) {
    const row = [];
    for (const request of asks) {
      const answer = await ask(request, portsFor(request));
      const { url } = await ask({ ...request, tls: false, address: undefined }, { plain: node.port });
      row.push({ ...answer, url });
    }
    told.push(row);
  }
  return told;
}
