import { startNginx } from '../../../packages/testkit/dist/index.js';
import { PREFIX } from '../requests.mjs';
import { block, change, printed } from './printed.mjs';

export const columns = [
  { name: 'fastcgi', protocol: 'fastcgi', prefix: true },
  { name: 'fastcgi, fastcgi_params', protocol: 'fastcgi', stock: true },
  { name: 'scgi', protocol: 'scgi', prefix: true },
  { name: 'uwsgi', protocol: 'uwsgi', prefix: true },
  { name: 'http', protocol: 'http' },
];

export function start(sites, { certificate }) {
  const text = sites.map((site) => siteText(site, certificate)).join('\n');
  return startNginx(() => text, sites[0].ports.plain);
}

function siteText(site, { cert, key }) {
  const { plain, tls } = site.ports;
  const listen = [
    `listen 127.0.0.1:${plain};`,
    `listen [::1]:${plain};`,
    `listen 127.0.0.1:${tls} ssl;`,
    `ssl_certificate ${cert};`,
    `ssl_certificate_key ${key};`,
  ];
  const text = change(printed('nginx', site), `listen ${plain};`, listen.join(' '));
  if (site.stock) return withStockVariables(text);
  if (!site.prefix) return text;
  // what is printed is for an app at the root: below a prefix the two names are divided
  const location = block(text, 'location / {');
  const own = change(change(location, /(SCRIPT_NAME +)"";/, `$1${PREFIX};`), /(PATH_INFO +)\$uri;/, '$1$own_path;');
  return change(
    text,
    location,
    `${change(own, 'location /', `location ~ "^${PREFIX}(?<own_path>/.*)?$"`)}\n${location}`,
  );
}

/** The variables of nginx's own file in place of those that are printed. */
function withStockVariables(text) {
  const bare = change(text, /^ *fastcgi_param .*\n/gm, '');
  return change(bare, 'fastcgi_pass', 'include /etc/nginx/fastcgi_params;\n        fastcgi_pass');
}
