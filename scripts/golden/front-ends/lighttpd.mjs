import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startLighttpd } from '../../../packages/testkit/dist/index.js';
import { program } from '../program.mjs';
import { PREFIX } from '../requests.mjs';
import { change, printed } from './printed.mjs';

export const columns = [
  { name: 'fastcgi', protocol: 'fastcgi', prefix: true },
  { name: 'scgi', protocol: 'scgi', prefix: true },
  { name: 'uwsgi', protocol: 'uwsgi', prefix: true },
  { name: 'ajp', protocol: 'ajp', query: '?peer=lighttpd' },
  { name: 'http', protocol: 'http' },
  { name: 'cgi', program: 'cgi', prefix: true },
];

export function start(sites, { certificate: { both } }) {
  return startLighttpd((_, folder) =>
    [
      'server.modules += ( "mod_openssl" )',
      ...sites.map((site) => {
        const text = site.program ? programText(site, folder) : proxyText(site);
        const { plain, tls } = site.ports;
        // one block for each address that the site listens on
        const [socket] = /^\$SERVER\["socket"\][\s\S]*?^\}$/m.exec(text);
        const on = (address, more = '') => change(socket, `":${plain}" {\n`, `"${address}" {\n${more}`);
        const ssl = `ssl.engine = "enable"\nssl.pemfile = "${both}"\n`;
        const all = [on(`127.0.0.1:${plain}`), on(`[::1]:${plain}`), on(`127.0.0.1:${tls}`, ssl)];
        return change(text, socket, all.join('\n'));
      }),
    ].join('\n'),
  );
}

function proxyText(site) {
  const text = printed('lighttpd', site);
  if (!site.prefix) return text;
  // below a prefix SCRIPT_NAME is the prefix
  const [entry] = /"\/" => \(\([\s\S]*?\)\)/.exec(text);
  const own = change(change(entry, '"/"', `"${PREFIX}"`), /,\n *"fix-root-scriptname" => "enable"/, '');
  return change(text, entry, `${own},\n${entry}`);
}

function programText({ name, ports }, folder) {
  const own = join(folder, name);
  mkdirSync(own);
  const app = program(join(own, 'app.cgi'));
  return `server.modules += ( "mod_cgi", "mod_alias" )
$SERVER["socket"] == ":${ports.plain}" {
  server.stream-response-body = 1
  cgi.assign = ( ".cgi" => "" )
  alias.url = ( "${PREFIX}" => "${app}", "" => "${app}" )
}`;
}
