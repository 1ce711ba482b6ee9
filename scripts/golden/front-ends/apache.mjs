import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startApache } from '../../../packages/testkit/dist/index.js';
import { HOST } from '../ask.mjs';
import { program } from '../program.mjs';
import { PREFIX } from '../requests.mjs';
import { change, printed } from './printed.mjs';

export const columns = [
  { name: 'mod_proxy_fcgi', protocol: 'fastcgi', prefix: true },
  { name: 'mod_proxy_ajp', protocol: 'ajp' },
  { name: 'mod_proxy_scgi', protocol: 'scgi' },
  { name: 'mod_proxy_uwsgi', protocol: 'uwsgi', prefix: true },
  { name: 'mod_proxy_http', protocol: 'http' },
  { name: 'mod_fcgid', program: 'fcgid-script', prefix: true },
  { name: 'mod_cgid', program: 'cgi-script', prefix: true },
];

export function start(sites, context) {
  const modules = ['ssl', 'alias', 'cgid', 'fcgid', 'setenvif'];
  return startApache(modules, (_, folder) => {
    // Apache's workers make the sockets of the processes of mod_fcgid
    const sockets = join(folder, 'fcgid');
    mkdirSync(sockets);
    chmodSync(sockets, 0o777);
    return [
      `ScriptSock ${folder}/cgid.sock`,
      `FcgidIPCDir ${sockets}`,
      'FcgidMaxProcesses 1',
      `FcgidProcessTableFile ${folder}/fcgid_shm`,
      ...sites.map((site) => withTls(site.program ? programText(site, folder) : proxyText(site), site, context)),
    ].join('\n');
  });
}

function proxyText(site) {
  const text = printed('apache', site);
  if (site.protocol === 'fastcgi') {
    // RFC 3875's names below a prefix
    const own = ['SCRIPT_NAME "$1"', 'PATH_INFO "$2"'].map(
      (set) => `ProxyFCGISetEnvIf "reqenv('SCRIPT_NAME') =~ m#^(${PREFIX})(/.*)?$#" ${set}`,
    );
    return change(text, '</VirtualHost>', `${own.reverse().join('\n')}\n</VirtualHost>`);
  }
  if (site.protocol === 'uwsgi') {
    const pass = /ProxyPass "\/" ("[^"]*")(.*)\n/;
    const [, to, flags] = pass.exec(text);
    return change(text, pass, `ProxyPass "${PREFIX}" ${change(to, /\/"$/, '"')}${flags}\n$&`);
  }
  return text;
}

/** The app as a program that Apache starts, for all paths, and below the prefix. */
function programText({ name, program: handler, ports }, folder) {
  const own = join(folder, name);
  mkdirSync(own);
  const app = program(join(own, 'app.cgi'));
  return `Listen ${ports.plain}
<VirtualHost *:${ports.plain}>
  ServerName ${HOST}
  AllowEncodedSlashes On
  ScriptAlias "${PREFIX}" "${app}"
  ScriptAlias "/" "${app}/"
  <Directory "${own}">
    Require all granted
    Options +ExecCGI
    SetHandler ${handler}
    CGIPassAuth On
  </Directory>
</VirtualHost>`;
}

/** The same site on a second port, with TLS. */
function withTls(text, { ports }, { certificate: { cert, key } }) {
  const [site] = /<VirtualHost[\s\S]*<\/VirtualHost>/.exec(text);
  const secured = change(
    change(site, `*:${ports.plain}`, `*:${ports.tls}`),
    '</VirtualHost>',
    `SSLEngine on\nSSLCertificateFile ${cert}\nSSLCertificateKeyFile ${key}\n</VirtualHost>`,
  );
  return `${text}\nListen ${ports.tls}\n${secured}`;
}
